// Put into the page before its own scripts: records what reaches the destination of the audio
// graph, and when the listener clicked. The page itself knows nothing of it. It is called with the
// worklet's source: no server has it.
((workletSource) => {
  const connect = AudioNode.prototype.connect;
  const TapNode = window.AudioWorkletNode; // Kept: a test may take it from the page.
  const state = { blocks: [], rateHz: 0, clickedAtMs: null, firstSoundAtMs: null, marks: [], ended: false };
  const AUDIBLE = 1e-4;

  document.addEventListener("click", () => (state.clickedAtMs ??= performance.now()), true);

  function keep(left, right, atMs) {
    if (state.ended) return;
    state.blocks.push([left, right]);
    if (state.firstSoundAtMs === null && left.some((value) => Math.abs(value) > AUDIBLE)) state.firstSoundAtMs = atMs;
    state.marks.push(atMs);
  }

  async function openWorkletTap(context, node) {
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([workletSource], { type: "text/javascript" })));
    const tap = new TapNode(context, "tap", { outputChannelCount: [2] });
    tap.port.onmessage = ({ data }) => keep(data[0], data[1], performance.now());
    connect.call(node, tap);
    connect.call(tap, context.destination);
  }

  // Without a secure origin there is no worklet to record in, and a ScriptProcessor loses blocks
  // whenever the page is busy. A MediaRecorder has a thread of its own, and writes plain samples.
  function openRecorderTap(context, node) {
    const stream = context.createMediaStreamDestination();
    stream.channelCount = 2;
    connect.call(node, stream);
    const recorder = new MediaRecorder(stream.stream, { mimeType: "audio/webm;codecs=pcm" });
    const pieces = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.start(1000);
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    state.end = () => recorder.state !== "inactive" && recorder.stop();
    state.film = async () => {
      state.end();
      await stopped;
      return encode(new Uint8Array(await new Blob(pieces).arrayBuffer()));
    };
  }

  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      state.rateHz = this.context.sampleRate;
      if (this.context.audioWorklet) openWorkletTap(this.context, this);
      else openRecorderTap(this.context, this);
    }
    return connect.call(this, target, ...rest);
  };

  // An audio element has no graph: it is given one, which plays what it would have played by itself.
  const play = HTMLMediaElement.prototype.play;
  const heard = new WeakSet();
  HTMLMediaElement.prototype.play = function () {
    if (!this.loop && !heard.has(this)) { // The one that loops is the silent one.
      heard.add(this);
      const context = new AudioContext();
      context.createMediaElementSource(this).connect(context.destination);
    }
    return play.call(this);
  };

  function encode(bytes) {
    let text = "";
    for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return btoa(text);
  }

  function base64(blocks, channel) {
    const frames = blocks.reduce((sum, block) => sum + block[channel].length, 0);
    const all = new Float32Array(frames);
    let at = 0;
    for (const block of blocks) {
      all.set(block[channel], at);
      at += block[channel].length;
    }
    return encode(new Uint8Array(all.buffer));
  }

  // When frame 0 was heard: no block can arrive early, so the promptest one tells.
  function startedAtMs() {
    if (state.blocks.length === 0) return null;
    const blockMs = (state.blocks[0][0].length * 1000) / state.rateHz;
    return state.marks.reduce((soonest, atMs, i) => Math.min(soonest, atMs - (i + 1) * blockMs), Infinity);
  }

  // Reading takes a while: what is heard meanwhile need not be of it.
  window.endTap = () => {
    state.ended = true;
    state.end?.();
  };

  window.readTap = async () => ({
    film: state.film ? await state.film() : null,
    left: base64(state.blocks, 0),
    right: base64(state.blocks, 1),
    rateHz: state.rateHz,
    clickedAtMs: state.clickedAtMs,
    firstSoundAtMs: state.firstSoundAtMs,
    startedAtMs: startedAtMs(),
  });
})
