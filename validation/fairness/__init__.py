"""How a model's answers differ between groups of people: context for people who decide, never legal advice."""
