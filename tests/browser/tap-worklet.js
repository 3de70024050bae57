// Records whole blocks on the audio thread, where nothing the page does can lose one.
const BLOCK_FRAMES = 1024;

class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    this.left = new Float32Array(BLOCK_FRAMES);
    this.right = new Float32Array(BLOCK_FRAMES);
    this.filled = 0;
  }

  process([input]) {
    if (input.length > 0) {
      this.left.set(input[0], this.filled);
      this.right.set(input[1] ?? input[0], this.filled);
    } else {
      this.left.fill(0, this.filled, this.filled + 128);
      this.right.fill(0, this.filled, this.filled + 128);
    }
    this.filled += 128;
    if (this.filled === BLOCK_FRAMES) {
      this.port.postMessage([this.left.slice(), this.right.slice()]);
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor("tap", Tap);
