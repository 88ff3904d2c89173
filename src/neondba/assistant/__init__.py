"""The assistant: twelve skills, requests that people make, answers with evidence."""
