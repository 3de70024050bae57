"""What waits for whoever carries it off: bounded, in order, and never waited for."""

import trio

from auralisd.transport.basket import Basket


async def test_frames_come_out_in_order_and_headers_first():
    basket = Basket(packets=4)
    basket.open([b"header"])
    basket.offer(b"1")
    basket.offer(b"2")
    assert await basket.take() == [b"header", b"1", b"2"]


async def test_who_takes_waits_for_the_next_frame(autojump_clock):
    basket = Basket(packets=4)

    async def later():
        await trio.sleep(5)
        basket.offer(b"1")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(later)
        assert await basket.take() == [b"1"]
    assert trio.current_time() > 4


async def test_one_packet_too_many_leads_to_the_live_edge_and_headers_stay():
    told = []
    basket = Basket(packets=3, skipped=told.append)
    basket.open([b"header"])
    for number in range(5):
        basket.offer(b"%d" % number)
    assert await basket.take() == [b"header", b"3", b"4"]
    assert (told, basket.skipped_packets) == ([3], 3)


async def test_after_the_last_frame_there_is_nothing():
    basket = Basket(packets=3)
    basket.offer(b"1")
    basket.finish()
    basket.offer(b"2")
    assert await basket.take() == [b"1"]
    assert await basket.take() == []
    assert basket.ended_by == "finished"


async def test_what_is_aborted_is_empty():
    basket = Basket(packets=3)
    basket.open([b"header"])
    basket.offer(b"1")
    basket.abort()
    assert await basket.take() == []
    assert not basket.push(b"2")
    assert basket.ended_by == "gone"


async def test_starting_over_drops_what_waits():
    basket = Basket(packets=3)
    basket.open([b"header"])
    basket.offer(b"1")
    basket.start_over([b"new header"])
    assert await basket.take() == [b"new header"]
    assert basket.skipped_packets == 1
