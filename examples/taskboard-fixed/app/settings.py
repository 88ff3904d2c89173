"""What the environment must say. Nothing has a default: a wrong database is worse than none."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the service."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: SecretStr
    better_auth_url: str


class MigrationSettings(BaseSettings):
    """Settings of Alembic, which needs nothing but the direct connection."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url_unpooled: SecretStr
