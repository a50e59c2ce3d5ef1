"""The worker side of the SDK."""
