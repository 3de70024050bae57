"""A restart without losing listeners: a successor is warmed, then everything open passes to it between two packets.

::

    predecessor                        successor
    start it, sockets inherited  --->  import torch, try the synthesiser
    send a second ahead          <---  ready
    what plays                   --->  play along, to nobody
                                 <---  prepared
    where the cut is             --->  stop there
    stop there, close the door,
    all that is open             --->  take it
                                 <---  adopted
    go; farewell to the rest     --->  write the next packet

Until ``go`` the predecessor can take everything back; from then on it writes nothing.
"""
