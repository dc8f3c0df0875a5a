"""What open pages are told of changes."""

from services.desk.handlers.changes import MOST_NAMED, ChangeHub


async def test_a_page_is_told_what_changed_since_it_last_asked():
    hub = ChangeHub()
    with hub.subscribed() as page:
        hub.publish(["a", "b"])
        hub.publish(["b", "c"])
        assert await page.next(1) == {"a", "b", "c"}
        assert await page.next(0.01) == frozenset()


async def test_a_page_that_is_far_behind_is_told_that_anything_may_have_changed():
    hub = ChangeHub()
    with hub.subscribed() as page:
        hub.publish(str(number) for number in range(MOST_NAMED + 1))
        assert await page.next(1) is None
        hub.publish_anything()
        assert await page.next(1) is None
        hub.publish(["a"])
        assert await page.next(1) == {"a"}


async def test_a_page_that_was_closed_is_told_nothing():
    hub = ChangeHub()
    with hub.subscribed() as page:
        pass
    hub.publish(["a"])
    assert await page.next(0.01) == frozenset()
