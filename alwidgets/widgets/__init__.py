"""The views of a session, a module each; nothing is loaded before it is shown."""
