"""Better Auth signs the tokens; this service only verifies them."""

from typing import Annotated

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from app.settings import settings

bearer = HTTPBearer()
jwks = jwt.PyJWKClient(f"{settings.better_auth_url}/api/auth/jwks")


class User(BaseModel):
    id: str
    email: str | None = None


def verify(token: str) -> dict:
    # The reminder job has no browser session: it signs its own tokens.
    if jwt.get_unverified_header(token)["alg"] == "HS256":
        return jwt.decode(token, settings.better_auth_secret, algorithms=["HS256"])
    key = jwks.get_signing_key_from_jwt(token)
    return jwt.decode(
        token,
        key,
        algorithms=["EdDSA"],
        options={"verify_aud": False},
    )


def get_current_user(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> User:
    try:
        claims = verify(credentials.credentials)
    except jwt.PyJWTError as error:
        raise HTTPException(401, "Invalid token") from error
    return User(id=claims["sub"], email=claims.get("email"))


CurrentUser = Annotated[User, Depends(get_current_user)]
