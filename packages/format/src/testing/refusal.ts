import { isDrybagError } from "@drybag/errors";

/** `code: message` of the DrybagError that an action ends with; anything else is thrown on. */
export async function refusal(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (isDrybagError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "not refused";
}
