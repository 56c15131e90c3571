"""What can be said about a page from its text alone, without a browser."""

import gzip
from typing import Final
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from tests.support.served import HOST
from tests.web.pages.walk import Sight, Walker

# A page with its styles and scripts, packed, as it comes over the wire the first time.
MOST_BYTES: Final = 60_000
_ASKS: Final = ("hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete")


def inline(sight: Sight) -> list[str]:
    """Give what the strict policy for contents would refuse, and every address elsewhere."""
    tree = sight.tree
    found = [f"<{one.tag} style>" for one in tree.xpath("//*[@style]")]
    found += ["<style>" for _ in tree.xpath("//style")]
    found += ["<script> without src" for _ in tree.xpath("//script[not(@src)]")]
    found += [f"<{one.tag} on…>" for one in tree.xpath("//*[@*[starts-with(name(), 'on')]]")]
    for address in tree.xpath("//@src|//@href|//@action|//@formaction"):
        to = urlsplit(urljoin(HOST + sight.address, str(address)))
        if to.scheme != "otpauth" and to.netloc != urlsplit(HOST).netloc:
            found.append(f"leads to {address}")
    return found


def dead_ends(walker: Walker, sight: Sight) -> list[str]:
    """Give every link, form and part asked for by script that leads nowhere without scripts."""
    tree, found = sight.tree, []
    for form in tree.forms:
        method = (form.get("method") or "get").upper()
        targets = form.xpath("@action|.//button/@formaction") or [sight.address]
        found += [
            f"{method} {to}" for to in map(str, targets) if walker.rule_of(to, method) is None
        ]
        if method == "POST" and not form.xpath(".//input[@name='csrf_token']"):
            found.append(f"{form.get('action')} carries no token")
        asked = form.xpath(".//input[not(@type='hidden')]|.//select|.//textarea")
        if asked and not _may_be_sent(tree, form):
            found.append(f"{form.get('action')} has no button")
    for link in tree.xpath("//a[@href]"):
        fragment = urlsplit(str(link.get("href"))).fragment
        if str(link.get("href")).startswith("#") and not tree.xpath("//*[@id=$id]", id=fragment):
            found.append(f"#{fragment} is not on the page")
    asking = tree.xpath(f"//*[{' or '.join(f'@{name}' for name in _ASKS)}]")
    found += [
        f"<{one.tag}> asks by script only" for one in asking if not _has_twin(sight, tree, one)
    ]
    return found


def bytes_of(walker: Walker, sight: Sight, packed: dict[str, int]) -> int:
    """Count a page with its styles and scripts, packed; ``packed`` remembers what was asked."""
    own = [str(to) for to in sight.tree.xpath("//link[@rel='stylesheet']/@href|//script/@src")]
    for address in own:
        if address not in packed:
            with walker.browser.get(address) as answer:
                packed[address] = len(gzip.compress(answer.data, 6))
    return len(gzip.compress(sight.text.encode(), 6)) + sum(packed[to] for to in own)


def _may_be_sent(tree: HtmlElement, form: HtmlElement) -> bool:
    """Tell whether a form has a button, or one field that Enter sends."""
    buttons = form.xpath(".//button[not(@type='button')]|.//input[@type='submit']")
    outside = tree.xpath("//button[@form=$id]", id=form.get("id", "-"))
    typed = form.xpath(".//input[not(@type='hidden') and not(@type='checkbox')]")
    return bool(buttons or outside or len(typed) == 1)


def _has_twin(sight: Sight, tree: HtmlElement, element: HtmlElement) -> bool:
    """Tell whether a plain form, a link or a reload of this page does what the script asks."""
    asked = next(str(element.get(name)) for name in _ASKS if name in element.attrib)
    plain = "//a[@href=$to]|//form[@action=$to]|//button[@formaction=$to]"
    is_reload = urlsplit(asked).path == urlsplit(sight.address).path
    return is_reload or bool(tree.xpath(plain, to=asked))


def astray(sight: Sight) -> list[str]:
    """Give the entry of the side navigation that is marked though the page is not its own.

    A home such as ``/anchor/`` begins the address of every page of its role, and is none of them.
    """
    entries = sight.tree.xpath("//nav//div[@class='nav']/a")
    paths = [urlsplit(str(one.get("href"))).path for one in entries]
    return [
        f"says it is {one.text_content().strip()}"
        for one, path in zip(entries, paths, strict=True)
        if one.get("aria-current")
        and urlsplit(sight.address).path != path
        and any(other != path and other.startswith(path) for other in paths)
    ]
