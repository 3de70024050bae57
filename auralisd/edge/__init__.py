"""The one port: audio and WebSockets answered here, everything else handed to the web app."""
