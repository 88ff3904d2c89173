"""Tables of the account: keys, permissions, invitations, transfers, VPC endpoints, key sets, limits."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class ApiKeyRow(SQLModel, table=True):
    """An API key that was created here; only its hash is kept."""

    __tablename__ = "api_key"
    number: int | None = Field(default=None, primary_key=True)
    name: str
    hash: str = Field(unique=True)
    """SHA-256 of the key, which is too random to be guessed."""
    organization: bool = False
    project_id: str | None = Field(default=None, foreign_key="project.id", index=True, ondelete="CASCADE")
    """The one project that the key is for."""
    revoked: bool = False
    created_at: str
    last_used_at: str | None = None


class PermissionRow(SQLModel, table=True):
    """A permission of someone else for a project."""

    __tablename__ = "permission"
    id: str = Field(primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True, ondelete="CASCADE")
    email: str
    created_at: str
    revoked_at: str | None = None


class TransferRequestRow(SQLModel, table=True):
    """An offer to hand a project over."""

    __tablename__ = "transfer_request"
    id: str = Field(primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True, ondelete="CASCADE")
    created_at: str
    expires_at: str


class InvitationRow(SQLModel, table=True):
    """An invitation to the organization."""

    __tablename__ = "invitation"
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    email: str = Field(unique=True)
    role: str
    created_at: str


class SpendingLimitRow(SQLModel, table=True):
    """The organization's spending limit; there is one row or none."""

    __tablename__ = "spending_limit"
    number: int = Field(default=1, primary_key=True)
    cents: int


class VpcEndpointRow(SQLModel, table=True):
    """A VPC endpoint of the organization in a region, or of a project."""

    __tablename__ = "vpc_endpoint"
    number: int | None = Field(default=None, primary_key=True)
    project_id: str | None = Field(default=None, foreign_key="project.id", index=True, ondelete="CASCADE")
    region: str | None = None
    vpc_endpoint: str = Field(index=True)
    label: str


class JwksRow(SQLModel, table=True):
    """Where the keys of a token issuer are published."""

    __tablename__ = "jwks"
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    project_id: str = Field(foreign_key="project.id", index=True, ondelete="CASCADE")
    branch_id: str | None = Field(default=None, foreign_key="branch.id", index=True, ondelete="CASCADE")
    jwks_url: str
    provider_name: str
    jwt_audience: str | None = None
    role_names: str = "[]"
    """JSON list."""
    created_at: str
    updated_at: str
