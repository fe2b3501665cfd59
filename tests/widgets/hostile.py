"""Texts that try to be more than text in a page, and a session that has one of them in every field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from review.fake_session import fake_session

if TYPE_CHECKING:
    from nbhitl.review.session import ReviewSession

HOSTILE = [
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg onload=window.pwned=1>",
    "<svg><script>window.pwned=1</script></svg>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'>",
    "<iframe src=javascript:parent.pwned=1>",
    "<a href=javascript:window.pwned=1>x</a>",
    "<body onload=window.pwned=1>",
    "<details open ontoggle=window.pwned=1>x</details>",
    "<input autofocus onfocus=window.pwned=1>",
    "<select autofocus onfocus=window.pwned=1>",
    "<textarea autofocus onfocus=window.pwned=1>",
    "<video><source onerror=window.pwned=1></video>",
    "<audio src=x onerror=window.pwned=1>",
    "<object data=javascript:window.pwned=1>",
    "<embed src=javascript:window.pwned=1>",
    "<math><mtext></mtext><script>window.pwned=1</script></math>",
    "<style>*{display:none!important}</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><button>Approve</button></form>",
    "<marquee onstart=window.pwned=1>x</marquee>",
    "<isindex type=image src=1 onerror=window.pwned=1>",
    "\"><script>window.pwned=1</script>",
    "'><script>window.pwned=1</script>",
    "'\"><img src=x onerror=window.pwned=1>",
    "</td></tr></table><script>window.pwned=1</script>",
    "</textarea><script>window.pwned=1</script>",
    "</title><script>window.pwned=1</script>",
    "</style><script>window.pwned=1</script>",
    "</pre><img src=x onerror=window.pwned=1>",
    "--><script>window.pwned=1</script>",
    "]]><script>window.pwned=1</script>",
    "<!--<img src='--><img src=x onerror=window.pwned=1>'>",
    "<scr<script>ipt>window.pwned=1</scr</script>ipt>",
    "<ScRiPt>window.pwned=1</ScRiPt>",
    "<img/src=`x`onerror=window.pwned=1>",
    "<img src=x:x onerror\n=window.pwned=1>",
    "\" onmouseover=\"window.pwned=1",
    "' onfocus='window.pwned=1' autofocus='",
    "\" style=\"position:fixed;inset:0\" x=\"",
    "javascript:window.pwned=1",
    "data:text/html,<script>window.pwned=1</script>",
    "&lt;script&gt;window.pwned=1&lt;/script&gt;",
    "&#60;script&#62;window.pwned=1&#60;/script&#62;",
    "\\u003cscript\\u003ewindow.pwned=1\\u003c/script\\u003e",
    "{{constructor.constructor('window.pwned=1')()}}",
    "${window.pwned=1}",
    "`${window.pwned=1}`",
    "</script><script>window.pwned=1</script>",
    "<template><script>window.pwned=1</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=window.pwned=1>\">",
    "<svg><style><img src=x onerror=window.pwned=1></style></svg>",
    "<svg><a xlink:href=javascript:window.pwned=1><text>x</text></a></svg>",
    "<svg><foreignObject><body onload=window.pwned=1></foreignObject></svg>",
    "\u202egnihtemos\u202c <b>x</b>",
    "zero\u200bwidth\ufeff",
    "null\x00and\x1b[31mred",
    "half a pair: \ud800",
    "quote \" apostrophe ' backslash \\ amp & lt < gt >",
    "#\"][data-k=approve",
]  # fmt: skip


def hostile_session(text: str) -> ReviewSession:
    """Two questions, one open and one rejected, with `text` as every key, value, name, title and error."""
    ask: dict[str, Any] = {
        "kind": "nbhitl.ask",
        "version": 1,
        "question": text,
        "action": text,
        "args": {text: text, "list": [text], "map": {text: text}, "sql": f"SELECT '{text}'"},
        "details": {text: text},
        "table": {"title": text, "columns": [text, "b"], "rows": [[text, 1], [{"x": text}, None]]},
        "reasons": [text],
        "allow": ["approve", "edit", "reject"],
        "problem": text,
    }
    choose = {"question": text, "options": [{"label": text or "x", "value": text}, "no"]}
    session = fake_session(ask, ask, choose, node=text, thread_id=text)
    session.cards[1].reject(text)
    session.cards[0].error, session.cards[0].field_errors = text, {text: text}
    return session
