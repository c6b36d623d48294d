"""The scripts of the run page, each by itself in Chromium: log, colours, chart, connection."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute

from tests.pages.harness import BASE_URL, call, harness

pytestmark = pytest.mark.browser

CANARY = "<img src=x onerror=alert(1)>"
NEW_LOG = """
    globalThis.line = (number, more) => ({ cursor: number, attempt: 1, ts: "2026-01-02T12:00:00Z", level: "INFO",
                                           message: `line ${number}`, ...more });
    globalThis.lines = (from, to) => Array.from({ length: to - from + 1 }, (_, place) => line(from + place));
    globalThis.box = document.querySelector("#log");
    const words = { lang: "pt-br", attemptLabel: (number) => `attempt ${number}` };
    globalThis.log = new modules.log_view.LogView(box, words);
    globalThis.isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < 2;
    globalThis.shown = () => [...box.querySelectorAll(".log-line")].filter((line) => line.offsetHeight)
                                 .map((line) => line.lastChild.textContent);
    globalThis.settled = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50)));
"""
NEW_CHART = """
    const curve = (split, metric, shown = true) => ({ split, metric, label: metric, shown });
    const group = { label: "Loss", unit: "number", curves: [curve("train", "loss"), curve("validation", "loss")],
                    files: { svg: "/loss.svg", csv: "/loss.csv" } };
    const words = { step: "Step", epoch: "Epoch", place: "epoch {epoch}, step {step}", table: "Table",
                    thinned: "one of {every}", savePicture: "Picture", saveFigures: "Figures" };
    const how = { lang: "en", words, splits: { train: "training", validation: "validation" } };
    globalThis.chart = new modules.metric_chart.MetricChart(document.querySelector("#charts"), group, how);
    globalThis.drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
"""


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    """One Chromium for all tests here; each begins on a fresh page."""
    with harness() as page:
        yield page


@pytest.fixture
def page(browser_page: Page) -> Page:
    """Open the empty page anew."""
    browser_page.goto("/")
    browser_page.wait_for_function("() => Boolean(globalThis.modules && globalThis.uPlot)")
    return browser_page


@pytest.fixture
def log(page: Page) -> Page:
    """Make an empty log."""
    call(page, NEW_LOG)
    return page


def test_ten_thousand_lines_open_in_under_a_second_and_end_at_the_newest(log: Page) -> None:
    took = call(
        log,
        "const at = performance.now(); log.append(lines(1, 10000)); box.offsetHeight; return performance.now() - at;",
    )
    assert took < 1000
    assert call(log, "await settled(); return [log.count, isAtEnd()]") == [
        10000,
        True,
    ]


MOST_ROWS = 2000
READ_UP = """
    const text = (row) => row.lastChild.textContent;
    const [seen, { top }] = [new Set(), box.getBoundingClientRect()];
    while (!seen.has("line 1")) {
      for (const row of box.querySelectorAll(".log-line")) seen.add(text(row));
      const isOnTop = (row) => row.getBoundingClientRect().bottom > top + 10;
      const onTop = () => [...box.querySelectorAll(".log-line")].find(isOnTop);
      box.scrollTop = 0;
      const before = text(onTop());
      await settled();
      if (text(onTop()) !== before) return `${before} moved`;
    }
    return seen.size;
"""


def test_a_hundred_thousand_lines_are_read_through_a_window_of_2000_rows(log: Page) -> None:
    """F-57: the page stays usable: at most 2,000 rows and some 50,000 lines; what went can be fetched again."""
    call(log, "globalThis.trimmed = []; log.onTrim = (before) => trimmed.push(before);")
    call(log, "for (let from = 1; from < 100000; from += 500) { log.append(lines(from, from + 499)); await null; }")
    assert call(log, "await settled(); return [shown().length, shown().at(-1), isAtEnd()]") == [
        MOST_ROWS,
        "line 100000",
        True,
    ]
    log.focus("#log")
    log.keyboard.press("Home")
    (held, before, first, top) = call(
        log, "await settled(); return [log.held, trimmed.at(-1), shown()[0], box.scrollTop]"
    )
    assert 50_000 <= held <= 55_000
    assert (first, top) == (f"line {before + 1}", 0)
    assert before == 100_000 - held
    call(
        log, "log.offer(document.createElement('button')); log.withdraw(); log.appendOlder(lines(1, argument));", before
    )
    log.keyboard.press("Home")
    assert call(log, "await settled(); return [shown()[0], log.held]") == ["line 1", 100_000]
    log.keyboard.press("End")
    assert call(log, "await settled(); return [shown().at(-1), isAtEnd(), log.following]") == [
        "line 100000",
        True,
        True,
    ]


def test_scrolling_up_brings_every_line_and_moves_none_that_is_read(log: Page) -> None:
    call(log, "log.append(lines(1, 6000)); await settled();")
    assert call(log, READ_UP) == 6000
    assert call(log, "return shown().length") == MOST_ROWS


def test_older_lines_do_not_move_what_is_read(log: Page) -> None:
    call(log, "log.append(lines(5001, 5500)); await settled(); box.scrollTop = 2000; await settled();")
    on_top = "return [...box.querySelectorAll('.log-line')].find((row) => row.getBoundingClientRect().bottom > 20)"
    before = call(log, f"{on_top}.lastChild.textContent")
    for first in range(1, 5001, 500):
        call(log, "log.appendOlder(lines(argument, argument + 499)); await settled();", first)
        assert call(log, f"{on_top}.lastChild.textContent") == before
    assert call(log, "return [log.count, shown().length <= 2000]") == [5500, True]
    call(log, "log.follow(true); await settled();")
    assert call(log, READ_UP) == 5500


def test_reading_the_beginning_while_older_lines_come_makes_few_rows(log: Page) -> None:
    call(log, "log.append(lines(20001, 20500)); log.appendOlder(lines(1, 19000)); await settled();")
    log.focus("#log")
    log.keyboard.press("Home")
    made = call(
        log,
        """
        let made = 0;
        const create = document.createElement.bind(document);
        document.createElement = (name) => { made += 1; return create(name); };
        log.appendOlder(lines(19001, 19500));
        document.createElement = create;
        return made;
        """,
    )
    assert made <= 3 * MOST_ROWS  # an element for the row, its time and its text
    assert call(log, "return [shown().length, shown()[0]]") == [MOST_ROWS, "line 1"]


def test_a_button_stands_where_lines_are_missing(log: Page) -> None:
    call(log, "log.append(lines(11, 12)); log.appendOlder(lines(1, 2));")
    call(log, "globalThis.button = document.createElement('button'); log.offer(button);")
    order = "return [...box.firstElementChild.children].map((row) => row.tagName)"
    assert call(log, order) == ["DIV", "DIV", "BUTTON", "DIV", "DIV"]
    call(log, "log.withdraw(); log.appendOlder(lines(3, 10));")
    assert call(log, "return shown()") == [f"line {number}" for number in range(1, 13)]


def test_the_button_is_no_line_that_was_found(log: Page) -> None:
    call(log, "log.append(lines(11, 12)); log.offer(document.createElement('button'));")
    assert call(log, "return log.search('line 12')") == 1
    assert call(log, "return log.search('nonsense')") == 0


def test_clearing_a_search_leaves_the_reader_where_the_search_led(log: Page) -> None:
    call(
        log, "log.append(lines(1, 9000)); await settled(); log.follow(false); log.search('line 4321'); log.search('');"
    )
    on_top = "return [...box.querySelectorAll('.log-line')].find((row) => row.getBoundingClientRect().bottom > 20)"
    assert call(log, f"await settled(); {on_top}.lastChild.textContent") == "line 4321"


def test_lines_are_text_whatever_they_hold(log: Page) -> None:
    call(log, "log.append([line(1, { message: argument })])", CANARY)
    assert call(log, "return [shown(), box.querySelectorAll('img').length]") == [[CANARY], 0]


def test_a_reader_who_scrolled_up_is_left_alone_until_back_at_the_end(log: Page) -> None:
    call(log, "log.append(lines(1, 500)); await settled(); box.scrollTop = 100; await settled();")
    call(log, "log.append(lines(501, 600)); await settled();")
    assert call(log, "return [box.scrollTop, log.following]") == [100, False]
    call(log, "box.scrollTop = box.scrollHeight; await settled(); log.append(lines(601, 700)); await settled();")
    assert call(log, "return [log.following, isAtEnd()]") == [True, True]


def test_the_following_switch_is_told_of_scrolling(log: Page) -> None:
    call(
        log,
        "globalThis.told = []; log.onfollow = (following) => told.push(following); log.append(lines(1, 500));"
        "await settled(); box.scrollTop = 0; await settled(); log.follow(true); await settled();",
    )
    assert call(log, "return told") == [False, True]


def test_older_lines_that_could_not_be_fetched_are_offered_again(page: Page) -> None:
    offered = call(
        page,
        "globalThis.fetch = () => Promise.reject(new TypeError('no connection')); let offered = 0;"
        "await modules.older_lines.loadOlderLines('/api', 10, () => {}, () => { offered += 1; }); return offered",
    )
    assert offered == 1


def test_older_lines_come_before_the_newer_ones_in_order(log: Page) -> None:
    call(log, "log.append(lines(1001, 1003)); log.appendOlder(lines(1, 2)); log.appendOlder(lines(3, 4));")
    assert call(log, "return shown()") == [f"line {number}" for number in (1, 2, 3, 4, 1001, 1002, 1003)]


@pytest.mark.parametrize(
    ("level", "expected"),
    [("", ["d", "i", "w", "e", "?"]), ("INFO", ["i", "w", "e", "?"]), ("WARNING", ["w", "e"]), ("ERROR", ["e"])],
)
def test_less_severe_lines_can_be_hidden(log: Page, level: str, expected: list[str]) -> None:
    kinds = [["d", "DEBUG"], ["i", "INFO"], ["w", "WARNING"], ["e", "ERROR"], ["?", 'X" onclick="y']]
    call(log, "log.append(argument.map(([message, level], place) => line(place + 1, { message, level })))", kinds)
    call(log, "log.showLevel(argument)", level)
    assert call(log, "return shown()") == expected


def test_a_search_shows_what_matches_now_and_later(log: Page) -> None:
    call(log, "log.append([line(1, { message: 'Perda 0.5' }), line(2, { message: 'outra' })])")
    assert call(log, "return [log.search('PERDA'), shown()]") == [1, ["Perda 0.5"]]
    call(log, "log.append([line(3, { message: 'perda 0.4' }), line(4, { message: 'mais' })])")
    assert call(log, "return shown()") == ["Perda 0.5", "perda 0.4"]
    assert call(log, "log.search(''); return shown().length") == 4


def test_what_is_searched_for_is_marked_also_inside_colours(log: Page) -> None:
    message = "a Loss \x1b[31mof loss\x1b[0m <b>loss</b>"
    call(log, "log.append([line(1, { message: argument })]); log.search('LOSS')", message)
    assert call(log, "return [...box.querySelectorAll('mark')].map((mark) => mark.textContent)") == [
        "Loss",
        "loss",
        "loss",
    ]
    assert call(log, "return [shown(), box.querySelectorAll('b').length]") == [["a Loss of loss <b>loss</b>"], 0]


def test_a_line_has_an_address_and_is_shown_among_its_neighbours(log: Page) -> None:
    call(log, "log.append(lines(1, 9000)); await settled(); log.go(4321); await settled();")
    on_top = "return [...box.querySelectorAll('.log-line')].find((row) => row.getBoundingClientRect().bottom > 20)"
    assert call(log, f"{on_top}.lastChild.textContent") == "line 4321"
    assert call(log, "return box.querySelector('.is-target a').getAttribute('href')") == "#line-4321"
    assert call(log, "return [log.has(4321), log.has(9001), log.following]") == [True, False, False]
    wanted = ["#line-12", "#line-", "#line-1e3", "#line-12x", "#other"]
    assert call(log, "return argument.map(modules.log_rows.lineOf)", wanted) == [12, None, None, None, None]


def test_a_new_attempt_is_set_apart(log: Page) -> None:
    call(log, "log.append([line(1), line(2, { attempt: 2 })])")
    assert call(log, "return shown()") == ["line 1", "attempt 2", "line 2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [("plain", "")]),
        ("a\x1b[31mred\x1b[0mb", [("a", ""), ("red", "sgr-red"), ("b", "")]),
        ("\x1b[1;32mok\x1b[22m!", [("ok", "sgr-bold sgr-green"), ("!", "sgr-green")]),
        ("\x1b[31ma\x1b[34mb", [("a", "sgr-red"), ("b", "sgr-blue")]),
        ("\x1b[91mbright", [("bright", "sgr-red")]),
        ("\x1b[38;5;31mx\x1b[38;2;1;31;4my", [("x", ""), ("y", "")]),
        ("\x1b[2Ka\x1b[1Ab", [("a", ""), ("b", "")]),
        ("\x1b]8;;http://evil.test\x07link\x1b]8;;\x07", [("link", "")]),
        ("\x1b[31", [("31", "")]),
        ("x\x1b", [("x", "")]),
    ],
)
def test_colours_become_classes_and_other_escapes_vanish(
    page: Page, text: str, expected: list[tuple[str, str]]
) -> None:
    found = call(page, "return modules.sgr.pieces(argument).map(({text, classes}) => [text, classes.join(' ')])", text)
    assert "".join(part for part, _classes in found).isprintable()
    assert [tuple(piece) for piece in found if piece[0]] == expected


def test_points_are_drawn_in_the_order_of_steps(page: Page) -> None:
    points = [
        {"attempt": 1, "step": 20, "split": "train", "values": {"loss": 0.5, "learning_rate": 1}},
        {"attempt": 1, "step": 10, "split": "train", "values": {"loss": 0.9}},
        {"attempt": 1, "step": 10, "split": "validation", "values": {"loss": 0.8}},
        {"attempt": 1, "step": 10, "split": "test", "values": {"loss": 0.1}},
        {"attempt": 1, "step": 30, "split": "train", "values": {"loss": None}},
    ]
    call(page, f"{NEW_CHART} chart.append(argument); await drawn();", points)
    assert call(page, "return chart.plot.data") == [[10, 20, 30], [0.9, 0.5, None], [0.8, None, None]]


def test_what_a_lost_attempt_did_beyond_the_checkpoint_is_not_drawn(page: Page) -> None:
    points = [
        {"attempt": 1, "step": 10, "split": "train", "values": {"loss": 0.9}},
        {"attempt": 1, "step": 20, "split": "train", "values": {"loss": 0.8}},
        {"attempt": 1, "step": 30, "split": "train", "values": {"loss": 0.7}},
        {"attempt": 2, "step": 20, "split": "train", "values": {"loss": 0.6}},
    ]
    late = {"attempt": 1, "step": 40, "split": "train", "values": {"loss": 0.5}}
    attempts = [{"number": 1, "resumed_from_step": None}, {"number": 2, "resumed_from_step": 10}]
    body = "chart.append(argument.points); chart.setAttempts(argument.attempts); chart.append([argument.late]);"
    call(page, f"{NEW_CHART} {body} await drawn();", {"points": points, "attempts": attempts, "late": late})
    assert call(page, "return chart.plot.data.slice(0, 2)") == [[10, 20], [0.9, 0.6]]


def test_a_resumed_attempt_that_judges_a_step_again_hides_nothing_of_it(page: Page) -> None:
    points = [
        {"attempt": 1, "step": 10, "split": "train", "values": {"loss": 0.9}},
        {"attempt": 2, "step": 10, "split": "validation", "values": {"loss": 0.8}},
    ]
    attempts = [{"number": 1, "resumed_from_step": None}, {"number": 2, "resumed_from_step": 10}]
    body = "chart.setAttempts(argument.attempts); chart.append(argument.points);"
    call(page, f"{NEW_CHART} {body} await drawn();", {"points": points, "attempts": attempts})
    assert call(page, "return chart.plot.data.slice(0, 3)") == [[10], [0.9], [0.8]]


def test_the_picture_says_its_newest_values(page: Page) -> None:
    point = {"attempt": 1, "step": 20, "split": "train", "values": {"loss": 0.5}}
    call(page, f"{NEW_CHART} chart.append([argument]); await drawn();", point)
    assert page.get_attribute("#charts [role=img]", "aria-label") == "Loss; loss (training) 0.5"


def test_a_curve_can_be_hidden_by_keyboard(page: Page) -> None:
    point = {"attempt": 1, "step": 1, "split": "train", "values": {"loss": 1}}
    call(page, f"{NEW_CHART} chart.append([argument]); await drawn();", point)
    page.locator("#charts button").first.press("Enter")
    assert page.locator("#charts button").first.get_attribute("aria-pressed") == "false"
    assert call(page, "return chart.plot.series.map(({show}) => show)") == [True, False, True]


def test_twenty_thousand_points_are_drawn_in_under_a_second(page: Page) -> None:
    took = call(
        page,
        NEW_CHART
        + """
        const point = (step) => ({ attempt: 1, step, split: "train", values: { loss: 1 / (step + 1) } });
        const points = Array.from({ length: 20000 }, (_, step) => point(step));
        const at = performance.now(); chart.append(points); await drawn(); return performance.now() - at;""",
    )
    assert took < 1000


NEW_SOCKET = """
    globalThis.got = { logs: [], metrics: [], states: [], runs: [] };
    const on = {
      records: ({ logs, metrics, run }) => { got.logs.push(...logs.map(({ cursor }) => cursor));
        got.metrics.push(...metrics.map(({ cursor }) => cursor)); if (run) got.runs.push(run.status); },
      connection: (state) => got.states.push(state),
    };
    new modules.run_socket.RunSocket({ socket: "/ws/runs/7", api: "/api/runs/7" }, { logs: 2, metrics: 0 }, on);
"""


def records(*cursors: int) -> list[dict[str, Any]]:
    """Make records that have nothing but their place."""
    return [{"cursor": cursor} for cursor in cursors]


def test_the_connection_says_once_how_far_the_page_has_read_and_hands_on_each_record_once(page: Page) -> None:
    greetings: list[Any] = []
    sockets: list[WebSocketRoute] = []

    def accept(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.on_message(lambda message: greetings.append(message))

    page.route_web_socket("**/ws/runs/7", accept)
    call(page, NEW_SOCKET)
    while not greetings:
        page.wait_for_timeout(20)
    frame = {"logs": records(1, 2, 3, 4), "metrics": records(9), "run": {"status": "running"}}
    call(page, "globalThis.frame = argument", frame)
    for _ in range(2):
        sockets[0].send(page.evaluate("JSON.stringify(frame)"))
    page.wait_for_function("() => got.runs.length === 2")
    assert greetings == ['{"after":{"logs":2,"metrics":0}}']
    assert call(page, "return [got.logs, got.metrics]") == [[3, 4], [9]]


def test_while_the_connection_is_away_the_page_asks_by_itself_and_misses_nothing(page: Page) -> None:
    page.route_web_socket("**/ws/runs/7", lambda socket: socket.close(code=1011))
    asked: list[str] = []

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix(f"{BASE_URL}/api/runs/7")
        asked.append(path)
        bodies: dict[str, Any] = {
            "/logs?after=2&limit=500": {"lines": records(3)},
            "/metrics?after=0&limit=500": {"points": records(5)},
            "": {"status": "completed"},
        }
        route.fulfill(json=bodies.get(path, {"lines": [], "points": []}))

    page.route(f"{BASE_URL}/api/**", answer)
    page.clock.install()
    call(page, NEW_SOCKET)
    page.clock.fast_forward(6_000)
    page.wait_for_function("() => got.runs.length")
    assert call(page, "return [got.logs, got.metrics, got.runs]") == [[3], [5], ["completed"]]
    page.clock.fast_forward(6_000)
    page.wait_for_function("() => got.runs.length > 1")
    assert "/logs?after=3&limit=500" in asked


@pytest.mark.parametrize(("code", "state"), [(4401, "signedOut"), (4404, "gone")])
def test_a_refused_connection_is_not_tried_again(page: Page, code: int, state: str) -> None:
    tries: list[str] = []

    def refuse(socket: WebSocketRoute) -> None:
        tries.append(socket.url)
        socket.close(code=code)

    page.route_web_socket("**/ws/runs/7", refuse)
    page.clock.install()
    call(page, NEW_SOCKET)
    page.wait_for_function("() => got.states.length")
    page.clock.fast_forward(120_000)
    assert (call(page, "return got.states"), len(tries)) == ([state], 1)


def test_a_part_that_begins_to_ask_for_it_is_kept_fresh(page: Page) -> None:
    """A run that goes back to the queue says how many are before it, and that changes."""
    asked: list[int] = []

    def answer(route: Route) -> None:
        asked.append(1)
        part = f'<div data-refresh="part" data-refresh-seconds="0.05">{len(asked)}</div>'
        route.fulfill(body=part, content_type="text/html")

    call(
        page,
        """
        document.body.insertAdjacentHTML("beforeend", '<div data-refresh="part">0</div>');
        globalThis.refreshing = await import("/static/bert_training/js/refresh_parts.js");
        """,
    )
    page.route(f"{BASE_URL}/", answer)
    call(page, "await refreshing.refreshParts();")
    page.wait_for_function("() => Number(document.querySelector('[data-refresh]').textContent) > 2", timeout=5000)
    page.unroute(f"{BASE_URL}/")


SORTABLE = """
    document.body.insertAdjacentHTML("beforeend", `<table data-sort><thead><tr><th>Name</th><th>Count</th></tr></thead>
      <tbody><tr><td>saúde</td><td data-value="1200">1.200</td></tr><tr><td>água</td><td data-value="9">9</td></tr>
      <tr><td>zelo</td><td data-value="90">90</td></tr></tbody></table>`);
    await import("/static/bert_training/js/sort_table.js");
    document.dispatchEvent(new Event("parts-refreshed"));
"""


def test_a_table_is_sorted_by_its_headings_with_the_keyboard(page: Page) -> None:
    call(page, SORTABLE)
    names = page.locator("table[data-sort] tbody td:first-child")
    count = page.get_by_role("button", name="Count")
    count.focus()
    page.keyboard.press("Enter")
    assert names.all_inner_texts() == ["água", "zelo", "saúde"]
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Count")
    page.keyboard.press("Enter")
    assert names.all_inner_texts() == ["saúde", "zelo", "água"]
    page.get_by_role("button", name="Name").click()
    assert names.all_inner_texts() == ["água", "saúde", "zelo"]  # by the alphabet, not by code point
    assert page.locator("th[aria-sort]").count() == 1
    call(page, 'document.dispatchEvent(new Event("parts-refreshed"));')
    assert page.locator("table[data-sort] button").count() == 2


REMAINING = """
    const names = ["status", "silent", "canceling", "phase", "steps", "remaining", "bar"];
    const box = document.createElement("div");
    box.append(...names.map((name) => Object.assign(document.createElement("i"), { className: "badge-queued" })));
    [...box.children].forEach((part, place) => { part.dataset.state = names[place]; });
    const words = { statuses: {}, lang: "pt-br", remainingMinutes: "{minutes} min, {time}", timeZone: argument };
    const state = new modules.run_state.RunState(box, words);
    state.show({ status: "running", progress: { phase_label: "", eta_seconds: 5400 } });
    return box.querySelector("[data-state=remaining]").textContent;
"""


def test_the_expected_end_is_told_in_the_time_zone_of_the_page(page: Page) -> None:
    told = {zone: call(page, REMAINING, zone) for zone in ("UTC", "Asia/Kolkata")}
    assert all(text.startswith("90 min, ") for text in told.values())
    assert told["UTC"] != told["Asia/Kolkata"]
