const STORY: readonly string[] = [
  'There was once a lighthouse keeper who wrote down everything that anyone told her. She had a shelf of notebooks, one for each ship that had ever passed, and she dated every line.',
  'People laughed at her a little. The sea, they said, forgets everything, so why should you remember it? She only sharpened her pencil and asked them how their children were, by name.',
  'One winter a storm took the lamp, the roof and half of the stairs. The harbour went dark in the middle of the night, with eleven boats still out and the wind turning.',
  'The keeper could not give them light. But she had the notebooks, and in them the way that each captain steered, the rocks that each had spoken of, and the songs that their crews sang.',
  'So she took the old brass horn and called to every boat in turn, by its name and with its own tune, and told each one what it had once told her: keep the church behind you, count to forty, now turn.',
  'One after the other they answered. A bell here, a lantern there, and somewhere a voice that went on with the song where she had stopped to draw breath.',
  'By morning all eleven lay in the harbour, and nobody laughed about notebooks any more. The youngest captain brought her a new pencil, and she wrote that down too.',
  'They built the tower again in spring, with a stronger lamp and a dry cupboard for the shelf. It is said that the newest notebook begins with a single line: whatever the storm takes, it will not take this.',
];

const TOPICS: readonly string[] = [
  'A conversation is a thread that two people hold. When the line between them breaks, what matters is that each still knows where the thread was, and who spoke last.',
  'Good tools are quiet about their strength. They say what they are doing, they say when they cannot, and they never throw away what they were given to keep.',
  'Memory is not a heap but an order. The last thing said stands nearest, older things are shorter, and a few facts are kept in the pocket because they are needed every day.',
  'Waiting is easier when one knows for what. A small honest sign, that the other side is thinking or that the line is being mended, is worth more than a moving picture.',
  'Everything that can fail will one day do so in the middle of a sentence. It is then that one finds out whether the sentence was written down first or spoken first.',
];

export function story(): string {
  return STORY.join('\n\n');
}

/** Running prose of about `words` words. */
export function longText(words: number): string {
  const paragraphs: string[] = [];
  let left = words;
  for (let at = 0; left > 0; at += 1) {
    const sentences = TOPICS[at % TOPICS.length]!.split(' ');
    paragraphs.push(
      sentences.length <= left ? sentences.join(' ') : `${sentences.slice(0, left).join(' ').replace(/[,.]$/, '')}.`,
    );
    left -= sentences.length;
  }
  return paragraphs.join('\n\n');
}
