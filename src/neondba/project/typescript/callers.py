"""Names by which code asks who is calling, and by which it refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from neondba.project.typescript.values import Origin

ASKING = re.compile(
    r"^(auth|getAuth|requireAuth|getServerSession|getServerAuthSession|getSession|useSession|unstable_getServerSession"
    r"|currentUser|getCurrentUser\w*|getUser|getAuthUser|getAuthenticatedUser|getLoggedInUser|getSessionUser"
    r"|getUserFromSession|getUserFromToken|getUserFromRequest|getCurrentSession|getToken|jwtVerify|verifyToken"
    r"|verifyJwt|verifyJWT|verifySession|verifyAuth|verifyIdToken|decodeToken|validateRequest|validateSession\w*"
    r"|validateToken|getKindeServerSession|requireUser|requireSession|requireUserId|getUserId|getCurrentUserId"
    r"|assertSession|assertAuthenticated|checkAuth|checkUser|ensureAuth\w*|isAuthenticated|authenticate\w*|getMe"
    r"|getClaims|currentProfile|initialProfile|getProfile|getIronSession|withAuth|getSessionCookie|authorize"
    r"|getUserSession|getServerUser|readSession|loadSession|decryptSession|getAuthSession|requireAdmin\w*"
    r"|(get|verify|validate|load|read|require|fetch|decode|check|decrypt|resolve|ensure|use)\w*Session\w*"
    r"|(get|require|validate|fetch|load|check|ensure|verify|resolve)\w*(Auth|CurrentUser|LoggedIn|Principal)\w*"
    r"|getCurrentProfile|getCurrentMember|getDbUserId|getActiveOrganization|getActiveMember|getJwtPayload)$"
)
VERIFYING = re.compile(
    r"(^|\.)(decodeJwt|jwtDecode|jwt_decode)$|(^|\.)(jwt|jose|jsonwebtoken|JWT|Jwt|jwtService|fastify\.jwt|request\.jwt)\.(verify|decode)\w*$"
)
SOMEBODY = re.compile(r"^(get|require|fetch|load|current|find|ensure)\w*User(Id|Email)?$")
"""Names of functions that, asked without an argument, can only mean the caller."""
NAMES = re.compile(
    r"^(user|userId|user_id|session|currentUser|auth|authUser|uid|viewer|account|identity|claims|jwtPayload|jwt"
    r"|member|membership|me|principal|userSession|dbUser|sessionUser|authenticatedUser|kindeUser|clerkUser|profile"
    r"|authInfo|authedUser|admin|token|tokenPayload|decoded|apiKey|actor)$"
)
"""Parts of a request or context that a check before has put there."""
SCOPED = re.compile(r"^(workspace|team|org|organization|tenant|project|company|teamId|workspaceId|orgId"
                    r"|organizationId"
                    r"|tenantId|household|activeOrganization)$")  # fmt: skip
"""Parts of a context that stand for a group whose membership was checked."""
CLIENTS = re.compile(
    r"^(params|param|searchParams|query|body|input|parsedInput|args|data|values|formData|rawInput|clientInput|payload"
    r"|headers|cookies|form|bodyParsed|validatedData|validated|valid|files|url|nextUrl|originalUrl|path|raw)$"
)
REQUIRING = re.compile(r"^(require|ensure|assert|authorize|authorise)_?(User|Owner|Auth|Session|Access"
                       r"|Member|Permission"
                       r"|Role|Team|Org|Tenant|Workspace|Self|Same)", re.IGNORECASE)  # fmt: skip
"""Names of functions elsewhere that throw unless what they are given is the caller's."""
CHECKING = re.compile(
    r"(check|verify|require|ensure|assert|authori[sz]e|validate|guard|enforce|protect|can|has|is|user|get)_?\w*"
    r"(access|owner|permission|member|role|allowed|belongs|authori[sz]|policy|abilit|scope|privilege|tenant)"
    r"|^(can|cannot|may|authorize|authorise|enforce|permit|policy|guard|ability|allow|assertcan|checkpermissions?)[A-Z]?"
    r"|ownership|belongsto|hasaccess|haspermission",
    re.IGNORECASE,
)
ROLE = re.compile(r"(^|\.)(role|roles|isAdmin|is_admin|admin|permissions?|isSuperAdmin|isStaff|userRole"
                  r"|is_staff"
                  r"|privileges?|userType|accountType|isSuperuser)(\.|$|\?)", re.IGNORECASE)  # fmt: skip
STAFF_CALL = re.compile(r"(require|check|is|ensure|assert|verify|with|only)_?(Super)?_?(Admin|Staff"
                        r"|Moderator)|adminOnly"
                        r"|adminMiddleware|adminAuth|isRoot|requireRole|checkRole|authorizeRoles?|restrictTo|hasRole"
                        r"|adminProcedure|allowRoles|admin\w*(Action|Client|Handler|Only|Middleware)"
                        r"|^(can|cannot)$|roleGuard|admin_?guard", re.IGNORECASE)  # fmt: skip
STAFF_ROLE = re.compile(
    r"admin|moderator|staff|super|owner|root|manager|operator|internal|support", re.IGNORECASE
)
"""Roles of those who run an application."""
EVERYDAY = re.compile(
    r"^(user|customer|client|member|buyer|seller|vendor|student|tutor|instructor|teacher|tenant|landlord|patient|guest"
    r"|author|technician|provider|candidate|recruiter|employer|job_?seeker|applicant|subscriber|viewer|writer|reader"
    r"|visitor|basic|free|default|normal|public|driver|rider|passenger|host|traveler|farmer|organizer|attendee"
    r"|participant|donor|freelancer|contractor|regular|premium|doctor|company|employee|creator)s?$",
    re.IGNORECASE,
)  # fmt: skip
"""Roles that anybody may come to have: they say nothing about whose rows one may see."""
GUARD_CALL = re.compile(
    r"auth|session|protect|verifyToken|verifyJwt|jwt|passport|requireUser|requireLogin|isLoggedIn|ensureLogged|guard"
    r"|validateToken|clerk|bearer|checkUser|withUser|withWorkspace|withTeam|private|secured|signedin|loggedin"
    r"|apikey|api_key|verify", re.IGNORECASE,
)  # fmt: skip
"""Names of middlewares, wrappers and procedures that let no stranger in."""
OPEN_CALL = re.compile(
    r"optional|public|unauth|noauth|maybe|oauth|authRout|authController|rateLimit", re.IGNORECASE
)
CARRIED = re.compile(r"user|account|tenant|\borg|member|session", re.IGNORECASE)
"""Headers in which a middleware hands on who is calling."""
MACHINE_PATH = re.compile(r"webhook|cron|stripe|inngest|callback|uploadthing|/jobs?/|health|qstash|svix"
                          r"|/internal/|trigger"
                          r"|revalidate|/seed|/migrate|/setup|sentry|polar|lemon|razorpay|paypal|/oauth|/auth/|github/"
                          r"|slack|telegram|/hooks?/|resend|mux|livekit|vapi", re.IGNORECASE)  # fmt: skip
SIGNATURE = re.compile(r"constructEvent|verifySignature|timingSafeEqual|verifyWebhook|validateWebhook"
                       r"|svix|Webhook$"
                       r"|createHmac|receiver\.verify|unwrap$|isValidSignature|verifyQstash"
                       r"|webhooks\.", re.IGNORECASE)  # fmt: skip
LOGGING_IN = re.compile(r"(bcrypt|bcryptjs|argon2?|scrypt|password)\w*\.?(compare|verify)"
                        r"|comparePassword|verifyPassword"
                        r"|compareSync|signIn|isPasswordValid|passwordMatch", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True)
class Telling:
    """What the name of a call says."""

    asking: bool
    signature: bool
    login: bool
    staff: bool
    requiring: bool
    checking: bool
    parsing: bool


@cache
def telling(name: str) -> Telling:
    """Read the dotted name of a call, once for each name."""
    last = name.rpartition(".")[2]
    return Telling(
        is_asking(name),
        bool(SIGNATURE.search(name)),
        bool(LOGGING_IN.search(name)),
        bool(STAFF_CALL.search(last)),
        bool(REQUIRING.match(last)),
        bool(CHECKING.search(last)),
        bool(PARSING.search(name)),
    )


PARSING = re.compile(
    r"(^|\.)(safeParse|parse|parseAsync|safeParseAsync|validate\w*|pick|parseWithZod|assertValid)$"
)


def is_asking(name: str) -> bool:
    """Tell whether a call by this dotted name gives the caller."""
    last = name.rpartition(".")[2]
    if VERIFYING.search(name):
        return True
    if last in ("getUser", "getUserId", "getProfile", "getToken", "getMe", "auth", "getClaims"):
        return True
    return bool(ASKING.match(last))


@cache
def is_everyday(written: str) -> bool:
    """Tell whether `"USER"` or `Role.USER` is a role that anybody may come to have."""
    return len(written) < 40 and bool(EVERYDAY.match(written.strip('"').rpartition(".")[2]))


def as_caller(written: str) -> frozenset[Origin]:
    """Give the origin of a value that stands for the caller."""
    return frozenset({("caller", written)})
