#!/usr/bin/env python3
"""Makes prompts.jsonl: 300 prompts in IFEval's format, written for this project. make_prompts.py > prompts.jsonl

Every topic is asked five times, each time with one to three other instructions; all 25 kinds occur. The words of the
instructions are ours, their kwargs are IFEval's (Zhou et al. 2023, arXiv:2311.07911)."""
import json, random

TOPICS = """Write a note to a neighbour whose dog barks at night.
Explain to a child why the sky is blue.
Describe a market on a rainy morning.
Write a short speech for the opening of a library.
Give advice to someone who starts a new job.
Tell the story of a lost umbrella.
Explain how a bicycle stays upright.
Write a review of a small restaurant by the sea.
Compare tea and coffee.
Write an invitation to a garden party.
Describe the work of a beekeeper.
Explain what a budget is.
Write a letter of thanks to a teacher.
Suggest what to do on a weekend in the mountains.
Explain how bread is made.
Write an apology for arriving late.
Describe an old railway station.
Explain why sleep matters.
Write an advertisement for a used guitar.
Tell what happened on the first day of a voyage.
Explain the rules of a simple card game.
Describe your ideal kitchen.
Write a message to a friend who moved away.
Explain how rain forms.
Write instructions for watering plants.
Describe a lighthouse in winter.
Give reasons to learn a second language.
Write a complaint about a broken kettle.
Explain what a compass does.
Describe a village festival.
Write a plan for a week of healthy meals.
Tell a fable about a fox and a snail.
Explain how to change a bicycle tyre.
Write a welcome text for new members of a chess club.
Describe a walk through a forest.
Explain why the moon has phases.
Write a product description of a wooden chair.
Give tips for a calm morning.
Describe how a river changes on its way to the sea.
Write a toast for a grandmother's birthday.
Explain what makes a good question.
Describe the sounds of a city at night.
Write a short biography of an invented inventor.
Explain how to save water at home.
Tell what a museum guard thinks during a quiet day.
Write a reply to a customer who wants a refund.
Explain the difference between weather and climate.
Describe a painting of a harbour.
Write a packing list for a rainy holiday.
Explain how magnets work.
Write a diary entry of a gardener in spring.
Describe the taste of a ripe pear.
Explain how a letter travels from sender to reader.
Write a job advertisement for a baker.
Give three ideas for a school project about birds.
Describe a storm from inside a tent.
Explain what a library catalogue is for.
Write a farewell to a colleague.
Explain how to choose a good book.
Tell the legend of a silent bell.""".split("\n")

LANGUAGES = {"de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "hi": "Hindi",
             "ru": "Russian", "ar": "Arabic"}


def kinds(r, topic):
    """The kinds of instruction with kwargs and words, drawn by r."""
    n = r.randint
    words = [w.strip(".,'").lower() for w in topic.split() if len(w.strip(".,'")) > 4]
    key = r.choice(words)
    relation = r.choice(["at least", "less than"])
    lang = r.choice(sorted(LANGUAGES))
    mark = r.choice(["P.S.", "P.P.S"])
    par = n(2, 4)
    first = r.choice(["however", "today", "first", "sometimes"])
    end = r.choice(["That is all for now.", "Is there anything else?", "Thank you for reading."])
    letter = r.choice("abdklmpst")
    split = r.choice(["SECTION", "PART"])
    k = {
        "keywords:existence": ({"keywords": [key, "because"]}, f'Use the words "{key}" and "because".'),
        "keywords:frequency": ({"keyword": key, "relation": relation, "frequency": (f := n(2, 4))},
                               f'The word "{key}" must occur {relation} {f} times.'),
        "keywords:forbidden_words": ({"forbidden_words": ["very", "good"]}, 'Do not use the words "very" and "good".'),
        "keywords:letter_frequency": ({"letter": letter, "let_relation": relation, "let_frequency": (q := n(5, 30))},
                                      f'The letter "{letter}" must occur {relation} {q} times.'),
        "language:response_language": ({"language": lang}, f"Answer in {LANGUAGES[lang]} and in no other language."),
        "length_constraints:number_sentences": ({"relation": relation, "num_sentences": (s := n(3, 7))},
                                                f"Write {relation} {s} sentences."),
        "length_constraints:number_paragraphs": ({"num_paragraphs": par},
                                                 f"Write exactly {par} paragraphs with the divider *** between them."),
        "length_constraints:number_words": ({"relation": relation, "num_words": (w := n(4, 12) * 10)},
                                            f"Write {relation} {w} words."),
        "length_constraints:nth_paragraph_first_word": (
            {"num_paragraphs": par, "nth_paragraph": (t := n(1, par)), "first_word": first},
            f'Write {par} paragraphs with an empty line between them; paragraph {t} must begin with the word "{first}".'),
        "detectable_content:number_placeholders": ({"num_placeholders": (p := n(1, 3))},
                                                   f"Leave at least {p} placeholders in square brackets, such as [name]."),
        "detectable_content:postscript": ({"postscript_marker": mark}, f"End with a postscript that begins with {mark}"),
        "detectable_format:number_bullet_lists": ({"num_bullets": (b := n(2, 5))},
                                                  f"Write exactly {b} bullet points, each beginning with *."),
        "detectable_format:constrained_response": ({}, "Answer with exactly one of: My answer is yes. My answer is no. "
                                                       "My answer is maybe."),
        "detectable_format:number_highlighted_sections": ({"num_highlights": (h := n(1, 3))},
                                                          f"Highlight at least {h} parts with *stars*."),
        "detectable_format:multiple_sections": ({"section_spliter": split, "num_sections": (m := n(2, 3))},
                                                f"Write {m} sections, each beginning with {split} and its number."),
        "detectable_format:json_format": ({}, "Give the whole answer as JSON."),
        "detectable_format:title": ({}, "Begin with a title in double angular brackets, such as <<title>>."),
        "combination:two_responses": ({}, "Give two different answers with ****** between them and nothing else."),
        "combination:repeat_prompt": ({"prompt_to_repeat": topic}, f'First repeat this request word for word: "{topic}"'),
        "startend:end_checker": ({"end_phrase": end}, f'The last words must be exactly: "{end}"'),
        "startend:quotation": ({}, "Put the whole answer in double quotation marks."),
        "change_case:capital_word_frequency": ({"capital_relation": relation, "capital_frequency": (c := n(2, 5))},
                                               f"Words in capital letters must occur {relation} {c} times."),
        "change_case:english_capital": ({}, "Answer in English and in capital letters only."),
        "change_case:english_lowercase": ({}, "Answer in English and in small letters only; no capitals."),
        "punctuation:no_comma": ({}, "Do not use any comma."),
    }
    return k


ALONE = {"detectable_format:constrained_response", "combination:repeat_prompt", "combination:two_responses",
         "detectable_format:json_format"}


def main():
    r = random.Random("prompts")
    names = list(kinds(random.Random(0), TOPICS[0]))
    key = 0
    queue = []
    for topic in TOPICS:
        for _ in range(5):
            all_kinds = kinds(r, topic)
            if not queue:
                queue = names[:]
                r.shuffle(queue)
            ids = [queue.pop()]  # every kind as often as every other one
            if ids[0] not in ALONE:
                group = {i.split(":")[0] for i in ids}
                for other in r.sample(names, r.randint(0, 2)):
                    if other not in ALONE and other.split(":")[0] not in group and not {"language", "change_case"} <= (
                            group | {other.split(":")[0]}):
                        ids.append(other)
                        group.add(other.split(":")[0])
            text = "Should one do this? " if ids[0].endswith("constrained_response") else ""
            key += 1
            print(json.dumps({"key": key, "prompt": " ".join([text + topic] + [all_kinds[i][1] for i in ids]),
                              "instruction_id_list": ids, "kwargs": [all_kinds[i][0] for i in ids]}, ensure_ascii=False))


main()
