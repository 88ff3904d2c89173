from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: str = "sqlite:///./taskboard.db"
    better_auth_url: str = "http://localhost:3000"
    better_auth_secret: str = "taskboard-signing-key-for-every-environment"


settings = Settings()
