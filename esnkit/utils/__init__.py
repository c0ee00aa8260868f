"""Helpers shared by several folders: validation, threads, rollback, warnings, workspaces."""
