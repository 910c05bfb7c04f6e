#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sounds.sh make|show DIRECTORY: what the demo's guests play, and a picture of what came out.
set -e
cd "$2"

make() {
	n=10
	for note in C4 E4 G4 C5 A3 C4 E4 A4 F3 A3 C4 F4 G3 B3 D4 G4; do
		n=$((n + 1))
		sox -n -r 48000 -b 16 -c 2 note$n.wav synth 0.4 pluck $note gain -6 fade 0 0.4 0.05
	done
	sox note??.wav music.wav repeat 2
	rm note??.wav
	sox -n -r 48000 -b 16 -c 2 chime.wav synth 1.2 sine 1760 sine 2637 fade q 0 1.2 0.9 gain -3
}

# QEMU writes the length when it ends; it was killed
show() {
	sox --ignore-length hda.wav speaker.wav
	rm hda.wav
	sox speaker.wav -n remix 1 spectrogram -x 1000 -y 513 -z 90 -o speaker.png \
		-t "Music, and a chime of higher priority over it"
}

"$1"
