import type { Notification } from '../notification.js';
import { renderHtml } from './render-html.js';
import { renderText } from './render-text.js';
import { tellStory } from './story.js';

/** RenderedEmail is one message in both of its forms; the subject is a single line without control characters. */
export interface RenderedEmail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** renderEmail writes a notification as an email. */
export function renderEmail(notification: Notification): RenderedEmail {
  const story = tellStory(notification);
  return { subject: story.title, text: renderText(story), html: renderHtml(story) };
}
