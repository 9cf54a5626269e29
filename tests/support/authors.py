"""Answers for the local model server: good texts in each language, and bad ones."""

from __future__ import annotations

from bot.render.styles import TEXT_FIELDS
from tests.support.model_server import Asked, as_json

SENTENCES = {
    "English": [
        "The authors look at how such systems fail in daily use and ask what would make them more dependable.",
        "Earlier methods needed careful tuning by hand and broke as soon as the surroundings changed a little.",
        "They suggest a way of learning that keeps what was useful before and adds to it step by step.",
        "In their experiments the new way holds up better than what was used until now, and costs less to run.",
        "It was tried on a small choice of tasks, so how well it carries over to others remains to be seen.",
        "Whoever builds such systems can take the idea over without changing much of what they already have.",
        "What counts is less the size of the model than how well its mistakes are noticed and mended.",
    ],
    "Korean": [
        "저자들은 이런 시스템이 일상적인 사용에서 왜 실패하는지 살펴보고 무엇이 더 믿을 만하게 만드는지 묻습니다.",
        "기존 방법은 사람이 세심하게 조정해야 했고 주변 환경이 조금만 바뀌어도 쉽게 무너졌습니다.",
        "이 논문은 이전에 쓸모 있던 것을 그대로 지키면서 조금씩 더해 가는 학습 방식을 제안합니다.",
        "실험에서 새 방식은 지금까지 쓰이던 것보다 더 안정적이었고 돌리는 비용도 더 적게 들었습니다.",
        "다만 몇몇 과제에서만 시험했기 때문에 다른 과제에도 그대로 통할지는 아직 알 수 없습니다.",
        "비슷한 시스템을 만드는 사람은 이미 가진 것을 크게 바꾸지 않고도 이 생각을 가져다 쓸 수 있습니다.",
        "중요한 것은 모델의 크기보다 실수를 얼마나 잘 알아차리고 바로잡느냐라는 점입니다.",
    ],
    "Japanese": [
        "著者らは、こうしたシステムが日常の利用でなぜ失敗するのかを調べ、より頼れるものにする方法を問う。",
        "これまでの手法は人の手による細かな調整が必要で、環境が少し変わるだけで崩れてしまった。",
        "本論文は、それまで役に立っていたものを保ちながら少しずつ積み上げていく学習の仕方を提案する。",
        "実験では新しいやり方がこれまでのものより安定しており、動かすための費用も少なくて済んだ。",
        "ただし試した課題は限られており、ほかの課題にもそのまま通じるかどうかはまだ分からない。",
        "似たシステムを作る人は、すでにあるものを大きく変えずにこの考え方を取り入れることができる。",
        "大切なのはモデルの大きさよりも、間違いにどれだけ気づいて直せるかという点である。",
    ],
    "Chinese (Simplified)": [
        "作者研究这类系统在日常使用中为什么会失败，并追问怎样才能让它们更加可靠。",
        "以前的方法需要人工仔细调整，周围环境稍有变化就会失效，难以长期使用。",
        "论文提出一种学习方式，保留以前有用的东西，在此基础上一点一点地增加。",
        "实验表明，新的方式比以往使用的方法更加稳定，运行的费用也更低。",
        "不过只在少数任务上做了测试，能否同样适用于其他任务，目前还不清楚。",
        "搭建类似系统的人，不必大改已有的东西，就可以直接采用这个想法。",
        "重要的不是模型有多大，而是能不能及时发现自己的错误并且加以改正。",
    ],
}  # fmt: skip


def good(asked: Asked) -> str:
    """Says something true and unremarkable about any paper, in the language that was asked for."""
    return as_json(_parts(asked))


def spoilt(asked: Asked, part: str, text: str) -> str:
    """A good answer with one field spoilt."""
    return as_json(_parts(asked) | {part: text})


def _parts(asked: Asked) -> dict[str, str]:
    """Two sentences for each field, always the same ones, however many fields are asked for at once."""
    said = SENTENCES[asked.language]
    styles = [[field.name for field in fields] for fields in TEXT_FIELDS.values()]
    names = next(names for names in styles if set(asked.fields) <= set(names))
    places = {name: names.index(name) for name in asked.fields}
    return {name: f"{said[place]} {said[(place + 1) % 7]}" for name, place in places.items()}
