"""One module per rule: its docstring is the page and, executed, the test."""
