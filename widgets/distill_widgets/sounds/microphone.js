// @ts-check
// The browser's microphone as raw samples: nothing is compressed, nothing made louder.

const TAP =
  'registerProcessor("distill-tap", class extends AudioWorkletProcessor {' +
  "process([[samples]]) { if (samples) this.port.postMessage(samples.slice()); return true; }" +
  "});";
const AS_IT_IS = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};

/** @typedef {{rate: number, close: () => void}} Microphone */

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError:
    "The browser was not allowed to use the microphone: allow it in the page's settings, beside " +
    "its address, and press Record again.",
  NotFoundError: "No microphone was found: connect one, and press Record again.",
  NotReadableError: "The microphone gives no sound: another program may hold it.",
};
const INSECURE =
  "A browser gives its microphone only to pages of https or localhost: open the notebook by such " +
  "an address.";

/**
 * What a person reads of a microphone that could not be opened.
 *
 * @param {unknown} error
 */
export function whyNoMicrophone(error) {
  const {name, message} = Object(error);
  return REASONS[name] ?? `The microphone cannot be used: ${message ?? error}`;
}

/**
 * Opens the microphone.
 *
 * @param {(samples: Float32Array) => void} receive
 * @param {() => void} lost called where it goes away
 * @returns {Promise<Microphone>}
 */
export async function openMicrophone(receive, lost) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error(INSECURE);
  const stream = await streamOf();
  const [track] = stream.getAudioTracks();
  const {sampleRate} = track.getSettings(); // its own, where the browser says it: not resampled
  const context = new AudioContext(sampleRate ? {sampleRate} : {});
  const close = () => {
    track.onended = null;
    for (const one of stream.getTracks()) one.stop();
    if (context.state !== "closed") context.close();
  };
  try {
    const tap = await tapOf(context);
    tap.port.onmessage = (event) => receive(event.data);
    context.createMediaStreamSource(stream).connect(tap).connect(context.destination);
    await context.resume();
  } catch (error) {
    close();
    throw new Error(whyNoMicrophone(error));
  }
  track.onended = lost;
  if (track.readyState === "ended") lost();
  return {rate: context.sampleRate, close};
}

async function streamOf() {
  try {
    return await navigator.mediaDevices.getUserMedia({audio: AS_IT_IS});
  } catch (error) {
    throw new Error(whyNoMicrophone(error));
  }
}

/** A node that hands on what goes through it, mono; it is silent itself. */
/** @param {AudioContext} context */
async function tapOf(context) {
  const place = URL.createObjectURL(new Blob([TAP], {type: "text/javascript"}));
  try {
    await context.audioWorklet.addModule(place);
  } finally {
    URL.revokeObjectURL(place);
  }
  return new AudioWorkletNode(context, "distill-tap", {
    channelCount: 1,
    channelCountMode: "explicit",
  });
}
