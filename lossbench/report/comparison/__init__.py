"""A comparison as text: terminal, Markdown, LaTeX, CSV, JSON, JUnit and GitHub annotations."""
