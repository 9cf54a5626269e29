"""What is left of LaTeX becomes plain text; words, addresses and money stay as they are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.runtime.latex import plain_math


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Video--based models (RL)--to train 10--20%", "Video–based models (RL)–to train 10–20%"),
        ("agents---whatever they do", "agents—whatever they do"),
        ("a 1.2times-2.4times speedup", "a 1.2×-2.4× speedup"),
        (r"VA-$\pi$", "VA-π"),
        ("ImageNet 256times256.", "ImageNet 256×256."),
        ("(64times64times4 downsampling)", "(64×64×4 downsampling)"),
        ("times3.23 faster", "×3.23 faster"),
        ("1.04sim2.2times", "1.04~2.2×"),
        ("sim25 FPS, 1.2{sim}1.3times", "~25 FPS, 1.2~1.3×"),
        ("(leq50K documents), approx20%, (pm1)", "(≤50K documents), ≈20%, (±1)"),
        (r"19.7\,FPS at 5\% of R\&D, \$200", "19.7 FPS at 5% of R&D, $200"),
        (r"DR$^{3}$-Eval, DR^{3}-Eval, τ^2-Bench", "DR³-Eval, DR³-Eval, τ²-Bench"),
        ("10^-4, 2^{128}, 10^(-10), 360^{circ}", "10⁻⁴, 2¹²⁸, 10⁻¹⁰, 360°"),
        ("C_{50}, θ_0, π_{0.5}, pi_0", "C₅₀, θ₀, π0.5, π₀"),
        ("x^{2n}, r^{update}, p_i^{,old}", "x^(2n), r^update, p_i^old"),
        (r"\textbf{C}ausal \emph{bold \textit{words}}", "Causal bold words"),
        (r"$\frac{1}{n+1}$ and $\sqrt{n}$", "1/(n+1) and √n"),
        (r"\method outperforms, \eg, \ie", "method outperforms, e.g., i.e."),
        (r"$10\times$ faster, $n=3$, $x$-axis", "10× faster, n=3, x-axis"),
        ("1{,}879 rounds, 10--20%", "1,879 rounds, 10–20%"),
        ("``Vibe'' coding", "“Vibe” coding"),
        (r"\href{https://x.org/a_1}{code}", "https://x.org/a_1 (code)"),
        ("https://x.org/a_1{https://x.org/a_1}.", "https://x.org/a_1."),
        ("{S}ignal {P}reservation", "Signal Preservation"),
        (r"\mathbb{R}^d, \mathcal{O}(n^2)", "R^d, O(n²)"),
    ],
)
def test_remnants_become_text(written: str, shown: str) -> None:
    assert plain_math(written) == shown


@pytest.mark.parametrize(
    "text",
    [
        "sim2real and Sim2Real, 32 times fewer, three times 4, New York Times, pmset, PM2.5",
        "costs $5 and $10 a day, at $630K, 10$ to 20$, $OneMillion-Bench",
        "snake_case_1, PKU_MDAgent2, tool_call, E[S_m]",
        "https://github.com/a/b_1^2, example.org/a_2/c_{3}"[:30],
        '{"a": 1}, {-1, 0, 1}, {name}',
        "--flag, 3-5, leqx, approximately 5, simulated 3",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert plain_math(text) == text


PIECES = [
    "times",
    "sim",
    "\\",
    "{",
    "}",
    "$",
    "^",
    "_",
    "2",
    ".5",
    "pi",
    "\\pi",
    "\\textbf{",
    "x",
    " ",
    "``",
    "''",
    "href",
]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=60))
def test_nothing_raises_and_nothing_grows_without_end(text: str) -> None:
    assert len(plain_math(text)) <= 4 * len(text) + 10


def test_a_flood_of_marks_is_read_in_a_moment() -> None:
    for piece in ("{", "\\a{", "^{", "$x", "``", "_{{", "a.b/", "\\frac{1}{"):
        plain_math(piece * 2_000)
