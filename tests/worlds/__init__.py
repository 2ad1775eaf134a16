"""The simulator's worlds at the company: what happened there reaches the project, and its books are what the rule says."""
