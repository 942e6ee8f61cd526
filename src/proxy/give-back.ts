/**
 * Memory of large bodies, given back as soon as it has been written. The garbage collector comes when 64 MB of it wait,
 * and until then every part of a body is read into memory that no cache of the processor has.
 */

/** Less is not worth the call. */
const MIN_BYTES = 16 * 1024;

/**
 * A callback for whoever writes `chunk` last: without an error, its memory is no longer there. Undefined: the memory is
 * too little, or may be others' too. Nobody may read the chunk after that, nor anything else of what was read with it.
 */
export function givingBack({ buffer, length }: Buffer): ((error?: Error | null) => void) | undefined {
  // Node cuts small buffers out of larger ones that many share; none of them has half of it.
  const isAlone = buffer instanceof ArrayBuffer && 2 * length >= buffer.byteLength;
  if (length < MIN_BYTES || !isAlone) return undefined;
  return (error) => {
    if (!error) buffer.transfer(0);
  };
}
