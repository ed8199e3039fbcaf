import { TaggedError } from '../kernel/tagged-error.ts';

/** A list of images that can't be used, with everything that is wrong in it. */
export class ImageListError extends TaggedError<'IMAGE_LIST_UNUSABLE'> {
  /** One a problem: `FILE:LINE:COLUMN: PATH: MESSAGE`. */
  readonly messages: readonly string[];

  constructor(messages: readonly string[], options?: ErrorOptions) {
    super(
      'IMAGE_LIST_UNUSABLE',
      `the list of images can not be used:\n${messages.join('\n')}`,
      options,
    );
    this.messages = messages;
  }
}
