// What exists inside an AudioWorklet and in no other script; TypeScript's own library leaves it out.
// https://webaudio.github.io/web-audio-api/#AudioWorkletGlobalScope

declare const currentFrame: number;
declare const currentTime: number;
declare const sampleRate: number;

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(
  name: string,
  processor: new (options: any) => AudioWorkletProcessor & {
    process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
  },
): void;
