"""A function with its owner's rights uses the search path of its caller.

`SECURITY DEFINER` lends the caller the owner's rights. Without a search path of its own, the caller puts
a table or function of the same name in front, and the function uses that one, with the owner's rights.

## Instead

```sql bad path=migrations/003_profiles.sql
CREATE FUNCTION public.add_profile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$  -- <- finding
BEGIN
  INSERT INTO profiles (user_id) VALUES (new.id);
  RETURN new;
END $$;
```

```sql good path=migrations/003_profiles.sql
CREATE FUNCTION public.add_profile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = '' AS $$
BEGIN
  INSERT INTO public.profiles (user_id) VALUES (new.id);
  RETURN new;
END $$;
```

## When it does not matter

The function runs with the caller's own rights, or gets its search path later:

```sql good path=migrations/003_profiles.sql
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  new.updated_at = now();
  RETURN new;
END $$;
CREATE FUNCTION public.add_profile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  RETURN new;
END $$;
ALTER FUNCTION public.add_profile() SET search_path = '';
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.statement import CreateFunction
from neondba.project.row_security import RowSecurity
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB411", Category.ISOLATION, Severity.MEDIUM)
def check(security: RowSecurity) -> Iterator[Finding]:
    """Look for functions with the owner's rights and the caller's search path."""
    for state in security.states:
        for placed in state.functions.values():
            action = placed.action
            if isinstance(action, CreateFunction) and action.security_definer and not action.search_path:
                yield Finding(
                    placed.path,
                    placed.line,
                    f"{action.name} runs with the rights of its owner but with the caller's search "
                    "path: a caller "
                    "who may create a table or function decides what its names mean.",
                    steps=(
                        "Give the function an empty search path and write the schema before every name.",
                        f"Revoke EXECUTE on {action.name} from PUBLIC, and grant it to those who need it.",
                    ),
                    snippet=f"ALTER FUNCTION {action.name} SET search_path = '';",
                )
