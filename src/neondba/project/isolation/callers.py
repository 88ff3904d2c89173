"""Which names and expressions tell who is calling."""

from __future__ import annotations

import re

CALLING = re.compile(
    r"^(a?get|fetch|load|require|verify|extract|validate|resolve|read|decode|parse|check)?_?"
    r"(optional|request|session|auth|token|jwt|active|valid|verified)?_?"
    r"(current|authenticated|logged_in|active|auth|session|request|calling|signed_in)_?"
    r"(active|auth)?_?(user|account|principal|member|identity|tenant|org\w*|customer|employee|workspace|me|subject|claims)"
    r"(_?(id|uuid|email|info|data|or_\w+|from_\w+|by_token|optional|required))*$|"
    r"^get_jwt_identity$|^get_jwt$|^get_(user|user_id|subject|claims|email)_from_\w+$|"
    r"^(a?verify|decode|validate|parse|check)_(\w+_)?(jwt|token|session)\w*$|^jwt_decode$|^get_access_token$|"
    r"^authenticate(_request|_user|_token)?$|^user_of$|^current_user(_id)?$|^get_user_id$|^get_session_user\w*$|"
    r"^require_(user|auth|login)\w*$|^get_auth_context$|^get_(user|auth|request)_context$|^get_authenticated_entity$",
    re.IGNORECASE,
)
"""Functions whose result is the caller."""
CARRIED = re.compile(
    r"(^|\.)(state\.\w*(user|auth|principal|claims|tenant|org|account|identity|jwt|session|token|role|member|workspace)\w*"
    r"|request\.(user|auth|session|account|tenant)|websocket\.(user|session|scope)|g\.\w*(user|auth|claims|tenant|account|org|identity)\w*"
    r"|current_user|flask_session|login_session)(\.|$)",
    re.IGNORECASE,
)
"""Attributes that a middleware or login extension fills in."""
SENT = re.compile(
    r"^(request|req|websocket|ws|self\.request)\.(json|get_json|args|form|values|query_params|path_params|"
    r"view_args|body|data|receive_json|receive_text|match_info|query|GET|POST|headers)\b"
)
"""Attributes of a request that hold what the client sent."""
CONTEXT = re.compile(
    r"^(RunContext|RunContextWrapper|Context|ToolRuntime|ToolContext|InjectedState|InjectedToolArg)$"
)
"""Types by which a tool is told things that the model does not choose."""
CONTEXT_VARIABLE = re.compile(
    r"user|tenant|account|principal|identity|org|auth|role|workspace|claims", re.IGNORECASE
)

CLAIMS = frozenset({"user_id", "owner_id", "userid", "user_uuid"})
"""Parameters by which a client says who it is."""
TELLING = re.compile(
    r"log|audit|track|print|notify|metric|emit|event|capture|record_|debug|info|warn|trace|exception|send_|publish|"
    r"cache_key|format|render|dumps|isoformat|join$|span|observe|sentry|enqueue",
    re.IGNORECASE,
)
"""Names of calls that only tell of the caller."""
CHECKING = re.compile(
    r"current_user|check|verify|require|ensure|assert_|authoriz|authz|permission|can_|has_|access|owner|member|belongs"
    r"|get_jwt|tenant|policy|allowed|protect|guard|visible|accessible|scoped|enforce|_or_403|validate_user",
    re.IGNORECASE,
)
SURE = re.compile(
    r"(check|verify|require|ensure|assert|validate|enforce|authorize|has|can|is)\w*"
    r"(access|permission|owner|member|author|allowed|belong|privilege|user|tenant|acl)|authoriz|authoris|belongs_to"
    r"|check_perm|_or_403",
    re.IGNORECASE,
)
"""Calls that check even where nothing in sight tells them who is calling."""
