"""Writes cases.jsonl: tests, answers, and the verdicts of the reference program on them.

    pip install "lm-eval[ifeval]==0.4.13" nltk==3.10.4 langdetect==1.0.9    # and NLTK's punkt_tab where NLTK looks for it
    python make_cases.py > cases.jsonl
    python make_cases.py answers.json > all.jsonl    # every test on every answer of a JSON list, for TestReference -cases

A line is a test in IFEval's format with two more keys: answers, and verdicts, which holds [strict, loose] for each
instruction of each answer. Each test gets some of the answers below, and the ones that belong to it. Where the reference
does not agree with itself in RUNS runs, for its language detector is random, the answer is left out; with a list of
answers of your own there is one run, in which a text has one language.
"""

import json
import logging
import random
import sys

import langdetect
from lm_eval.tasks.ifeval import utils

RUNS = 7
ANSWERS_PER_TEST = 6
# Those of IFEval's own tests, and some more.
LANGUAGES = "ar bg bn de fa fi gu hi it kn ko mr ne pa pt ru sw ta te th ur vi en es fr ja pl".split()

logging.disable(logging.ERROR)


def limits(kind, relation, number, values, **more):
    """Tests for both relations and several numbers."""
    return [
        (kind, {relation: r, number: n, **more}) for r in ("at least", "less than") for n in values
    ]


def counts(kind, name, values, **more):
    return [(kind, {name: n, **more}) for n in values]


SINGLE = [
    *[("keywords:existence", {"keywords": k}) for k in (
        ["sea"], ["Ship", "storm"], ["c.t"], ["straße"], ["кот", "дом"], ["istanbul"], ["K"], ["σ"], [r"\w+-\w+"],
        [r"\bno\b"], ["c++"], ["(?i)Tea|coffee"], [r"(\w)\1"], ["[^a-z\\s]"], ["."], ["日本"], ["ſ"], ["x{,2}y"],
        [r"[\W_]{3}"], [r"^\S+$"], ["é"], [r"\d{2,}"], ["a{2}?"], ["x{y"], [r"(?P<q>['\"]).*?(?P=q)"],
    )],
    *limits("keywords:frequency", "relation", "frequency", (1, 3), keyword=" the "),
    *limits("keywords:frequency", "relation", "frequency", (2,), keyword="a*"),
    *limits("keywords:frequency", "relation", "frequency", (2,), keyword=r"\s"),
    *limits("keywords:frequency", "relation", "frequency", (4,), keyword="Ä"),
    *limits("keywords:frequency", "relation", "frequency", (5,), keyword=r"\b"),
    *[("keywords:forbidden_words", {"forbidden_words": k}) for k in (
        ["sea"], ["bad", "good"], ["हिन्दी"], ["U.S"], ["naïve"], ["don"], ["word_", "x"], ["²"], ["a|sea"], ["it’s"],
    )],
    *limits("keywords:letter_frequency", "let_relation", "let_frequency", (1, 4), letter="i"),
    *limits("keywords:letter_frequency", "let_relation", "let_frequency", (6,), letter="E"),
    *limits("keywords:letter_frequency", "let_relation", "let_frequency", (1,), letter="k"),
    *[("language:response_language", {"language": l}) for l in LANGUAGES],
    *limits("length_constraints:number_sentences", "relation", "num_sentences", (1, 2, 3, 4, 5, 8)),
    *counts("length_constraints:number_paragraphs", "num_paragraphs", (1, 2, 3)),
    *limits("length_constraints:number_words", "relation", "num_words", (1, 3, 5, 9, 10, 20)),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "However"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 3, "nth_paragraph": 1, "first_word": "the"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "i\u0307stanbul"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "λόγοσ"}),
    *counts("detectable_content:number_placeholders", "num_placeholders", (1, 2, 4)),
    *[("detectable_content:postscript", {"postscript_marker": m}) for m in ("P.S.", "P.P.S", "PS:", "N.B. ")],
    *counts("detectable_format:number_bullet_lists", "num_bullets", (1, 2, 3)),
    ("detectable_format:constrained_response", {}),
    *counts("detectable_format:number_highlighted_sections", "num_highlights", (1, 2, 3, 5)),
    *counts("detectable_format:multiple_sections", "num_sections", (1, 2, 3), section_spliter="Section"),
    *counts("detectable_format:multiple_sections", "num_sections", (2, 4), section_spliter="(Day|PART) "),
    ("detectable_format:json_format", {}),
    ("detectable_format:title", {}),
    ("combination:two_responses", {}),
    ("combination:repeat_prompt", {"prompt_to_repeat": "  What is ΣΑΣ? "}),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Name a\nriver"}),
    *[("startend:end_checker", {"end_phrase": p}) for p in ("Any other questions?", " The End.", "ΤΈΛΟΣ", "👍")],
    ("startend:quotation", {}),
    *limits("change_case:capital_word_frequency", "capital_relation", "capital_frequency", (1, 2, 3, 6)),
    ("change_case:english_capital", {}),
    ("change_case:english_lowercase", {}),
    ("punctuation:no_comma", {}),
]

# Several instructions at once; null and 0 count as absent, as in the published file.
COMBINED = [
    (["punctuation:no_comma", "length_constraints:number_words"],
     [{}, {"num_words": 4, "relation": "at least", "keyword": None, "frequency": 0}]),
    (["detectable_format:title", "keywords:existence", "startend:end_checker"],
     [{"language": ""}, {"keywords": ["moon"]}, {"end_phrase": "Good night."}]),
    (["detectable_format:number_bullet_lists", "detectable_format:number_highlighted_sections"],
     [{"num_bullets": 2}, {"num_highlights": 2.0}]),
]

ANSWERS = [
    "", " \n\t ", "\x1c\x1d", ".", "...", "?!", "a", "A", '"', '""', ",", "*", "**", "******", "***", "\n\n", "\u00a0", "😀", "1", "²³",
    "The sea is calm. A ship sails, slowly, into the storm!",
    "The sea.The storm? The ship: the end.",
    "Sure, here it is:\n\nThe cat sat on the mat. It was good.\n\nHope this helps!",
    "Dr. Smith of the U.S. Dept. met Mr. J. Bach at 3 p.m. He left. Prices rose 3.5 percent to $4.20 a share.",
    "He said (quietly.) Then he left. \"Stop!\" she cried. 'No.' It ended . . . She slept.",
    "No. 5 is here. No. 5. is there. i.e. this, e.g. that. It was Inc. magazine vs. Co. and Ltd. The end.",
    "Wait... what?! Yes!!! OK -- fine. So be it...\nA new line. a lower one. 4. Four\n\n5. Five",
    "“Curly quotes.” ‘Single ones.’ «Guillemets.» It’s NASA’s.) Really.] Yes.” No",
    "* one\n* two\n* three", "- one\n- two\n", "  * one\n\n\n*two\n** three\n*\n* \n-\n--- \n", "1. one\n2. two\n\n- three\r\n* four\r\n",
    "**Bold** and *italic* and ***both*** and ** ** and * * and *a\nb* **c**d**",
    "*one* *two* *three*", "*\u00a0* **\u2003** *\u200b*",
    "Section 1\nTea\nSection 2\nCoffee\n\nSection3 Milk", "SECTION 1 section 2 Section X Section\u00a0٣", "Day 1 Go PART 2 Stay Day  3",
    "first\n***\nsecond", "***\nfirst\n***\n***\nsecond\n***", "*** a *** b *** c", "a******b", "a******a", "******a******b******", "a ****** ****** b",
    "Two\n******\nanswers\n******\nthree",
    "Dear [name], I write from [address] on [date] about [] and [a\nb] and [[x]].",
    "Hello.\n\nP.S. I forgot.", "Text p. s. done", "Text P.P.S. more", "PP.S more PS: done", "p.\u00a0p.\u00a0s", "n.b. so", "nXb. so",
    "My answer is yes.", "my answer is no.", "I think: My answer is maybe. Or not",
    "My answer is\nyes.", "<<Title>>\nText", "<< >>", "<<<>>>", "<<a\nb>>", "text <<\u00a0x>> more >>",
    '{"a": [1, 2.5e3, null, true, "\\u00e9"]}', '```json\n{"a": 1}\n```', "```JSON\n[1]\n```", "```\n[NaN, -Infinity, Infinity]\n```",
    "```json```json\n1```", "{'a': 1}", '{"a": 1,}', "01", "1.", "-", "[1]]", '"tab\tinside"', '"a" "b"', "null", "\ufeff[1]", "[1\u00a0,2]", "1" * 4301,
    "-" + "1" * 4300, "1" * 4400 + ".5", '{"a":1,"a":2}', "[,]", "{}", '["\\x"]', "1e5", "1E+", "nan", "tru", '"\\ud800"', "[" * 60 + "]" * 60, "``````", '{"a" 1}',
    "What is σας? The answer: Greek.", "WHAT IS ΣΑΣ? yes", "Name a\nriver. The Rhine.", "name a river", "λόγος\n\nΛόγος. Two", "ΛΌΓΟΣ, yes\n\nmore",
    "İstanbul is a CITY.", "ıstanbul", "ISTANBUL", "However, this\n\nHowever: that\n\n'\"however'd", "The one\n\nthe two\n\n\n\nThe three", "One.\n\n\"'However\" it is",
    "One\n\nhowever\n\n", "\n\nThe one\n\nTwo\n\nThree", "The\u00a0one\n\n\u3000\n\nHowever two",
    "Thank you. Any other questions?", "thank you. any other questions?\"", "\"The END.\" \n", "The end.\n\nOK", "τέλος", "ΤΈΛΟΣ ", "Τέλοσ", "Nice 👍", "👍🏽",
    '"All of this is quoted."', '"a', ' "a" ', "“a”", '*"starred"*', '"quoted"\nBye', "Intro\n\"quoted\"\nBye",
    "THIS IS A LONG SENTENCE IN CAPITAL LETTERS ABOUT THE WEATHER AND THE SEA. IT IS IN ENGLISH AND VERY LOUD.",
    "this is a long sentence in small letters about the weather and the sea. it is in english and very quiet.",
    "dies ist ein langer satz in kleinen buchstaben über das wetter und das meer. er ist auf deutsch.",
    "DIES IST EIN LANGER SATZ IN GROSSEN BUCHSTABEN ÜBER DAS WETTER UND DAS MEER. ER IST AUF DEUTSCH.",
    "NASA and the EU met in the U.S.A. on 3 MAY; I was THERE, AT 5PM (WOW) [OK] {HI} <NO>. \"YES\" 'NO' CAN'T DON'T GONNA CANNOT",
    "I'M I'LL IT'S we'VE O'NEIL 'TIS 'TWAS D'YE MORE'N WANNA go GIMME LEMME GOTTA 'SO 'LL ''HI'' ``HO``",
    "X-RAY A/B C++ C# A.B. A.B ÀÉ ß ẞ Ω ⅠⅡ Ⓐ ǅ ª º ℂ 𝔸 ABc 1A A1 _A_ A_B É日本 日本 K.",
    "R&D 50% $A #B @C A:B 1:2 A, B,C 1,2 A...B A--B A–B A—B A―B‒C «A» „B“ ‘C’ A;B! C? D* (E.) F.\" G.' H.] .",
    "Der schnelle braune Fuchs springt über den faulen Hund. Straße und STRASSE sind nicht gleich.",
    "Le petit chat est assis sur le tapis, et il regarde la mer. C’est l’été.",
    "O menino foi à praia com a sua mãe e comeu um gelado de morango.",
    "Кот сидит в доме и смотрит на море. Это хорошо.", "यह हिन्दी में लिखा हुआ एक वाक्य है। हिन्दी सुन्दर भाषा है।", "これは日本語の文章です。海はとても静かです。",
    "هذه جملة مكتوبة باللغة العربية عن البحر والطقس.", "这是一个中文句子，关于大海和天气。", "바다는 조용하고 하늘은 맑습니다.", "1234 5678", "??? !!! ...", "https://example.org/a?b=c someone@example.org",
    "cafe\u0301 naïve naive don’t don't it's it’s word_ x² Ä ä A\u0308", "a\u200db a\u200cb क्\u200dष ½ ⅷ ① ٣٤ ๓ word-word under_score o'clock 3.14 e\u0301",
    "aab baa xxy xy yx aaa", "no, nothing; know \"no\" NO", "Kelvin K ſea Sea SEA ﬅ ſtorm Storm", "Cyrillic: КОТ и ДОМ", "Hidden\x00null\x1funit\x85next\u2028line\u2029par",
    "Line one,\r\nline two.\r\n\r\nLine three.\r\n", "a\rb\rc", "moon\n<<Night>>\nGood night.", "<<Night>> the moon, good night.\n*Good night.*", "**Note**\n* moon *one* two\n* **three**\n",
    "🇩🇪 👨‍👩‍👧 ❤️ emoji. Then more 🎉! And 🤖? ok", "U.S. Army. U.S. He left. Mt. Everest. St. Mary. A. B. C. Then. I. am. Vol. 3. pp. 5. Ph.D. John. a.m. The day.",
    "It cost 5. He paid. In 1990. In May. On Jan. 5. On Sept. Friday. Rep. Green. Gen. It is. rare-book. Rare-book. ##number##. 5-3. -5. .5. 5,. 5.. Next",
    "End.\"He\" End.) (He) End.' 'He' End.--He end!) \"ok\" end?\u201d\u2019 He. \u00abHe.\u00bb He... He.... he. . . . He", "e.g. Tea etc. Coffee etc. and more etc., x. y.z. Q.E.D. Done",
]


def cases():
    draw = random.Random(13)
    rows = [([kind], [kwargs]) for kind, kwargs in SINGLE] + COMBINED
    for key, (ids, kwargs) in enumerate(rows, 1):
        words = [str(v) for k in kwargs for v in k.values() if v]
        fitting = [a for a in ANSWERS if any(w.strip().lower()[:4] in a.lower() for w in words if not w.isdigit())]
        chosen = draw.sample(ANSWERS, ANSWERS_PER_TEST) + draw.sample(fitting, min(4, len(fitting)))
        if not any(kwargs):
            chosen = draw.sample(ANSWERS, 25)
        if "sentences" in ids[0] or "capital" in ids[0] or "json" in ids[0]:
            chosen += [a for a in ANSWERS if a.count(".") + a.count('"') + a.count("[") > 5]
        prompt = f"Follow {', '.join(ids)}."
        yield {"key": key, "prompt": prompt, "instruction_id_list": ids, "kwargs": kwargs}, list(dict.fromkeys(chosen))


def verdict(test, answer):
    example = utils.InputExample(**test)
    strict = utils.test_instruction_following_strict(example, answer)
    loose = utils.test_instruction_following_loose(example, answer)
    # Some checks give a match in place of True.
    pairs = zip(strict.follow_instruction_list, loose.follow_instruction_list)
    return [[bool(s), bool(l)] for s, l in pairs]


def detects(test):
    return any(i.startswith(("language", "change_case:english")) for i in test["instruction_id_list"])


def remember_languages():
    """Lets a text have one language, for its detection takes most of the time."""
    detect = langdetect.detect
    known = {}

    def once(text):
        if text not in known:
            try:
                known[text] = detect(text)
            except langdetect.LangDetectException as e:
                known[text] = e
        if isinstance(known[text], Exception):
            raise known[text]
        return known[text]

    langdetect.detect = once


def settled(test, answers):
    """The answers on which the reference agrees with itself, and its verdicts."""
    kept, verdicts = [], []
    for answer in answers:
        found = [verdict(test, answer) for _ in range(RUNS if detects(test) else 1)]
        if all(f == found[0] for f in found):
            kept.append(answer)
            verdicts.append(found[0])
        else:
            print("the reference does not agree with itself:", test["key"], repr(answer), file=sys.stderr)
    return kept, verdicts


if __name__ == "__main__":
    given = None
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as f:
            given = json.load(f)
        remember_languages()
    for test, answers in cases():
        answers, verdicts = settled(test, answers) if given is None else (given, [verdict(test, a) for a in given])
        print(json.dumps({**test, "answers": answers, "verdicts": verdicts}, ensure_ascii=False))
