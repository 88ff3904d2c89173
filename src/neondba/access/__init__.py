"""Who may do what to which rows, proven by trying."""
