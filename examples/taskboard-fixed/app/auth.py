"""Better Auth signs the tokens; this service only verifies them, by its published keys."""

from typing import Annotated

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from app.settings import Settings

better_auth_url = Settings().better_auth_url
bearer = HTTPBearer()
jwks = jwt.PyJWKClient(f"{better_auth_url}/api/auth/jwks", timeout=5)


class User(BaseModel):
    """Who sent the request."""

    id: str


def verify(token: str) -> User:
    """Check signature, issuer, audience and expiry."""
    claims = jwt.decode(
        token,
        jwks.get_signing_key_from_jwt(token),
        algorithms=["EdDSA"],
        issuer=better_auth_url,
        audience=better_auth_url,
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
    return User(id=claims["sub"])


def get_current_user(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> User:
    """Give the user that the token names, or refuse."""
    try:
        return verify(credentials.credentials)
    except jwt.PyJWKClientConnectionError as error:
        raise HTTPException(503, "Sign-in is unavailable") from error
    except jwt.PyJWTError as error:
        raise HTTPException(401, "Invalid token") from error


CurrentUser = Annotated[User, Depends(get_current_user)]
