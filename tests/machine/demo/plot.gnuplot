# SPDX-License-Identifier: Apache-2.0
set terminal pngcairo size 1000,600
set output "/build/demo/frames.png"
set title "Two guests on one CAN bus: frames a second on the bus"
set xlabel "seconds"
set ylabel "frames/s"
set yrange [0:*]
set key outside right
set grid
plot "/build/demo/frames.dat" using 1:2 with linespoints title "host 0x120", \
     "" using 1:3 with linespoints title "cluster 0x520", \
     "" using 1:4 with linespoints title "telematics 0x6a0 (limit 10/s)", \
     "" using 1:5 with linespoints lw 2 title "telematics 0x0ad (denied)"
