#!/bin/sh
# make.sh [DIR]: makes the sounds of this folder again, in DIR (default: here).
# Needs espeak-ng and sox. The same versions make the same bytes.
set -eu

dir=${1:-$(dirname "$0")}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT INT TERM

# What a caller hears from a phone that plays its default file, and what the
# tests listen to: several sentences with pauses, all kinds of sounds.
text='Good morning, this is the offhook telephone.
If you hear every word, the line between us is fine.
Seven small ships sailed past the old lighthouse.
Thank you for listening.'

espeak-ng -v en-gb -s 190 -w "$tmp/speech.wav" "$text"
sox -D "$tmp/speech.wav" -r 48000 -c 1 -b 16 "$dir/speech.wav" \
	gain -6 highpass 60 norm -3 pad 0.2 0.2

# The ringer: two notes that warble, then a rest. Soft at both ends.
sox -D -n -r 16000 -c 1 -b 16 "$tmp/a.wav" \
	synth 0.06 sine 784 sine 1568 remix - fade t 0.005 0.06 0.005 gain -9
sox -D -n -r 16000 -c 1 -b 16 "$tmp/b.wav" \
	synth 0.06 sine 988 sine 1976 remix - fade t 0.005 0.06 0.005 gain -9
sox -D "$tmp/a.wav" "$tmp/b.wav" "$tmp/ab.wav"
sox -D "$tmp/ab.wav" "$dir/ring.wav" repeat 7 pad 0 2.04

# Call progress as in most of Europe (ITU-T E.180): 425 Hz, one turn of each
# cadence, to be played again and again.
cadence() {	# NAME ON OFF (seconds)
	sox -D -n -r 8000 -c 1 -b 16 "$dir/$1.wav" \
		synth "$2" sine 425 fade t 0.004 "$2" 0.004 gain -15 pad 0 "$3"
}
cadence ringback 1 4
cadence busy 0.5 0.5
cadence congestion 0.25 0.25
