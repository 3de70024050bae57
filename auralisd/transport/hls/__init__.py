"""HTTP Live Streaming (RFC 8216): a station as a folder of short files that any web server can hand out.

::

    100 ms of programme -> renditions (encoders) -> a cut every 2 s -> segments -> window -> playlists
"""
