interface SavedSize {
  tag: string;
  facts: { diffIds: string[]; sizeBytes: number };
}

/**
 * Spreads images over archives of about the same size, images that share layers together. One archive is compressed while the engine
 * still puts the next one together: a classic store gives the first byte of an archive only when it has copied all of it.
 */
export function planSaves<T extends SavedSize>(images: readonly T[], archives: number): T[][] {
  const groups = Array.from({ length: Math.min(archives, images.length) }, () => ({
    images: [] as T[],
    diffIds: new Set<string>(),
    sizeBytes: 0,
  }));
  for (const image of images.toSorted((a, b) => b.facts.sizeBytes - a.facts.sizeBytes)) {
    const group = cheapestGroup(image, groups);
    if (group === undefined) break;
    group.sizeBytes += addedBytes(image, group.diffIds);
    group.images.push(image);
    for (const diffId of image.facts.diffIds) group.diffIds.add(diffId);
  }
  return groups.filter((group) => group.images.length > 0).map((group) => group.images);
}

interface SaveGroup {
  diffIds: Set<string>;
  sizeBytes: number;
}

/** Where an image is the least more to be saved without any archive becoming the largest; else the one that stays the smallest. */
function cheapestGroup<G extends SaveGroup>(image: SavedSize, groups: readonly G[]): G | undefined {
  const largestBytes = Math.max(...groups.map(({ sizeBytes }) => sizeBytes));
  const costs = groups.map((group) => {
    const added = addedBytes(image, group.diffIds);
    return { group, added, after: group.sizeBytes + added };
  });
  const within = costs.filter(({ after }) => after <= largestBytes);
  const [best] =
    within.length > 0
      ? within.toSorted((a, b) => a.added - b.added || a.after - b.after)
      : costs.toSorted((a, b) => a.after - b.after);
  return best?.group;
}

/** The engine tells no sizes of layers: all of an image's count the same. */
function addedBytes(image: SavedSize, there: Set<string>): number {
  const { diffIds, sizeBytes } = image.facts;
  const missing = diffIds.filter((diffId) => !there.has(diffId)).length;
  return diffIds.length === 0 ? sizeBytes : (sizeBytes * missing) / diffIds.length;
}
