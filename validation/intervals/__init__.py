"""Bootstrap confidence bounds of every metric."""
