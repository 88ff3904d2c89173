"""Write a migration in the form of the project's own tool, without running that tool."""
