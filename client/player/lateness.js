/** Over this long the usual moment of a packet and its spread are averaged. */
const AVERAGED_SECONDS = 10;
/** Later than this is an outage: no buffer of ours would cover it, so none learns from it. */
const OUTAGE_SECONDS = 1;
/** An outage is over when packets come about in time again, or when their new pace has lasted so long. */
const SETTLED_SECONDS = 0.1;
/** Nothing is sent before its time: what comes this much sooner than usual sets the pace. */
const SOONER_SECONDS = 0.2;
const OUTAGE_LASTS_SECONDS = 5;
/** What was needed once is kept for so long, and after that given up slowly. */
const REMEMBERED_SECONDS = 60;
const FORGOTTEN_PER_SECOND = 0.01;
const SIGMAS = 3;
/** Chunks within so much of the stream came in one packet: the latest of them counts. */
const PACKET_SECONDS = 0.09;

/**
 * How late packets come, and how much sound has to be in hand because of it.
 *
 * The moment a packet should come is the mean of those before; what has to be in hand is three
 * standard deviations, or what the latest one of the last minute needed: quick up, slow down.
 * Pure: seconds go in, seconds come out.
 */
export class Lateness {
  constructor() {
    /** Of the packets' moments, clock minus place; null before the first. @type {number | null} */
    this.meanSeconds = null;
    /** What the mean is of. */
    this.heardSeconds = 0;
    this.variance = 0;
    this.heldSeconds = 0;
    this.calmSeconds = 0;
    /** How long the outage has lasted, by the packets it spoiled; null while there is none. @type {number | null} */
    this.outageSeconds = null;
    /** The packet that is coming in: its first place, and its latest chunk's moment. @type {{placeSeconds: number, atSeconds: number} | null} */
    this.packet = null;
  }

  /** In hand beyond what the mean packet needs. */
  get neededSeconds() {
    return Math.max(SIGMAS * Math.sqrt(this.variance), this.heldSeconds);
  }

  /**
   * A chunk came.
   *
   * @param {number} clockSeconds when
   * @param {number} placeSeconds where it begins in the stream
   */
  note(clockSeconds, placeSeconds) {
    const atSeconds = clockSeconds - placeSeconds;
    const packet = this.packet;
    if (packet !== null && placeSeconds - packet.placeSeconds < PACKET_SECONDS) {
      packet.atSeconds = Math.max(packet.atSeconds, atSeconds);
      return;
    }
    this.packet = { placeSeconds, atSeconds };
    if (packet !== null) this.#judge(packet.atSeconds, placeSeconds - packet.placeSeconds);
  }

  /** The stream jumped: its moments are on another scale from now on. What was needed stays needed. */
  jump() {
    this.meanSeconds = null;
    this.outageSeconds = null;
    this.packet = null;
  }

  #judge(/** @type {number} */ atSeconds, /** @type {number} */ lastsSeconds) {
    const usual = this.meanSeconds;
    if (usual === null || atSeconds < usual - SOONER_SECONDS) {
      this.#begin(atSeconds);
      return;
    }
    const late = atSeconds - usual;
    if (this.#isOutage(late, lastsSeconds)) return;
    this.heardSeconds += lastsSeconds;
    this.meanSeconds = usual + (lastsSeconds / Math.min(AVERAGED_SECONDS, this.heardSeconds)) * late;
    this.variance += (lastsSeconds / AVERAGED_SECONDS) * (late * late - this.variance);
    this.#hold(late, lastsSeconds);
  }

  #begin(/** @type {number} */ atSeconds) {
    this.meanSeconds = atSeconds;
    this.heardSeconds = 0;
  }

  #isOutage(/** @type {number} */ late, /** @type {number} */ lastsSeconds) {
    if (this.outageSeconds === null && late <= OUTAGE_SECONDS) return false;
    this.outageSeconds = (this.outageSeconds ?? 0) + lastsSeconds;
    if (late < SETTLED_SECONDS) this.outageSeconds = null;
    else if (this.outageSeconds > OUTAGE_LASTS_SECONDS) this.jump(); // for good: the server's clock was held back
    return true;
  }

  #hold(/** @type {number} */ late, /** @type {number} */ lastsSeconds) {
    this.calmSeconds += lastsSeconds;
    if (late > this.heldSeconds) {
      this.heldSeconds = late;
      this.calmSeconds = 0;
    } else if (this.calmSeconds > REMEMBERED_SECONDS) {
      this.heldSeconds *= 1 - FORGOTTEN_PER_SECOND * lastsSeconds;
    }
  }
}
