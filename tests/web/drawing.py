"""Signing with a finger in a browser, on whichever page asks for it."""

from playwright.sync_api import Page, expect

STEPS = ((70, 40), (100, 75), (130, 40), (160, 75), (190, 40), (220, 75))


def sign(page: Page) -> None:
    """Draw a signature into the box for it; the page says that it is one."""
    canvas = page.locator("[data-sign] canvas, [data-sign-pad] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for right, down in STEPS:
        page.mouse.move(box["x"] + right, box["y"] + down)
    page.mouse.up()
    expect(page.locator("[data-sign-state], [data-signed]")).to_have_text("已签名")
