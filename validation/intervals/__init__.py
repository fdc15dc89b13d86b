"""Bootstrap confidence limits of every metric."""
