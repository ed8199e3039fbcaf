/**
 * How long a store keeps, at least, what says which manifests are whose parts and which were roots.
 * It is put again while it is in use; after that the image is pulled from its root again.
 */
export const keptMs = 30 * 86_400_000;

/** What is used without being put is put again after so long. */
export const putAgainMs = keptMs / 4;
