const PAUSE_FADE_SECONDS = 0.25;
const VOLUME_GLIDE_SECONDS = 0.08;
const FFT_FRAMES = 2048;
/** A picture that has not asked for so long is hidden, or still: nothing is analysed for it. */
const UNSEEN_SECONDS = 1;
/** Edges of the three bands the picture is drawn from. */
const BAND_EDGES_HZ = [40, 220, 1200, 8000];
const QUIETEST_DB = -85;
const LOUDEST_DB = -30;

/**
 * The audio context and the chain every player shares:
 * input -> fader (pause) -> sleep -> volume -> destination, with an analyser before the volume while
 * somebody looks.
 */
export class AudioGraph {
  /**
   * @param {number} rateHz asked for; the context may have another where this one is refused
   * @param {AudioContextLatencyCategory} latencyHint
   */
  constructor(rateHz, latencyHint) {
    this.context = openContext(rateHz, latencyHint);
    this.fader = this.context.createGain();
    this.sleep = this.context.createGain();
    this.volume = this.context.createGain();
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = FFT_FRAMES;
    this.analyser.smoothingTimeConstant = 0.85;
    this.fader.connect(this.sleep).connect(this.volume).connect(this.context.destination);
    this.askedAtSeconds = 0;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.analysing = undefined;
    this.bins = new Float32Array(this.analyser.frequencyBinCount);
  }

  get input() {
    return this.fader;
  }

  /** Seconds from the graph's output to the ear, as far as the browser knows. */
  get outputLatencySeconds() {
    return this.context.outputLatency || this.context.baseLatency || 0;
  }

  open() {
    this.#glide(this.fader.gain, 1, 0.02);
    return this.context.resume();
  }

  /** Fade to silence; resolves when it is reached. */
  fadeOut() {
    this.#glide(this.fader.gain, 0, PAUSE_FADE_SECONDS);
    return new Promise((resolve) => setTimeout(resolve, PAUSE_FADE_SECONDS * 1000 + 60));
  }

  /** @param {number} gain linear */
  setVolume(gain) {
    this.#glide(this.volume.gain, gain, VOLUME_GLIDE_SECONDS);
  }

  /**
   * Fade to silence on the audio clock, so that throttled timers cannot hold it up.
   *
   * @param {{startsInSeconds: number, endsInSeconds: number} | null} fade null gives the sound back
   */
  scheduleSleep(fade) {
    const gain = this.sleep.gain;
    const now = this.context.currentTime;
    if (fade === null) {
      this.#glide(gain, 1, 1);
      return;
    }
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(gain.value, now);
    gain.setValueAtTime(gain.value, now + Math.max(0, fade.startsInSeconds));
    gain.linearRampToValueAtTime(0, now + Math.max(0.1, fade.endsInSeconds));
  }

  /** @returns {[number, number, number]} low, middle and high band, each 0 (silent) to 1 */
  bands() {
    this.askedAtSeconds = this.context.currentTime;
    if (this.analysing === undefined) this.#analyse();
    this.analyser.getFloatFrequencyData(this.bins);
    const hzPerBin = this.context.sampleRate / FFT_FRAMES;
    const level = (/** @type {number} */ band) => {
      const from = Math.max(1, Math.floor(BAND_EDGES_HZ[band] / hzPerBin));
      const to = Math.max(from + 1, Math.floor(BAND_EDGES_HZ[band + 1] / hzPerBin));
      let loudest = -Infinity;
      for (let bin = from; bin < to; bin += 1) loudest = Math.max(loudest, this.bins[bin]);
      return Math.min(1, Math.max(0, (loudest - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)));
    };
    return [level(0), level(1), level(2)];
  }

  #analyse() {
    this.sleep.connect(this.analyser);
    this.analysing = setInterval(() => {
      if (this.context.currentTime - this.askedAtSeconds < UNSEEN_SECONDS) return;
      clearInterval(this.analysing);
      this.analysing = undefined;
      this.sleep.disconnect(this.analyser);
    }, UNSEEN_SECONDS * 1000);
  }

  #glide(/** @type {AudioParam} */ param, /** @type {number} */ to, /** @type {number} */ seconds) {
    const now = this.context.currentTime;
    param.cancelScheduledValues(now);
    param.setValueAtTime(param.value, now);
    param.linearRampToValueAtTime(to, now + seconds);
  }
}

/**
 * @param {number} rateHz
 * @param {AudioContextLatencyCategory} latencyHint
 */
function openContext(rateHz, latencyHint) {
  try {
    return new AudioContext({ sampleRate: rateHz, latencyHint });
  } catch {
    return new AudioContext({ latencyHint });
  }
}
