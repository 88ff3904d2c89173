"""The Neon platform: API client, connection strings, throw-away branches."""
