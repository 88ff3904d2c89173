"""The Neon platform: API models and client, connection strings, throw-away branches."""
