"""What Neon's serverless driver speaks: SQL over HTTP, and PostgreSQL's protocol over WebSocket."""
