#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the base root: QEMU of Debian's sources with what a device host needs, and two lines more. It
# becomes the root of a layer in /build/images/emulator.
#
# Where VMRUN injects an interrupt, QEMU leaves its vector behind as a pending exception. If the virtual
# processor is kicked before the guest's next exit, that is delivered once more, as an exception: also
# while interrupts are disabled. So guests deadlock or triple-fault, seldom with one of them, soon with two.
#
# Each processor that restores its FPU clears a flag of the first processor's, IGNNE, without a lock. The
# word has other flags, that of nested paging among them: where the first processor enters or leaves a guest
# meanwhile, that one is lost, and the device host goes on in the guest's memory or the guest in its own.
# The flag is looked at first now: nobody sets it on such a machine.
set -e
work=/build/images/emulator-work
out=/build/images/emulator
export DEBIAN_FRONTEND=noninteractive

rm -rf $work $out
mkdir -p $work/qemu $work/build $out/usr/bin
for list in /etc/apt/sources.list.d/*.list; do
	sed 's/^deb /deb-src /' "$list" >"${list%.list}-source.list"
done
apt-get -q update
apt-get -qy install --no-install-recommends meson ninja-build pkgconf python3-venv libglib2.0-dev \
	libpixman-1-dev zlib1g-dev libattr1-dev libcap-ng-dev libfdt-dev
cd $work
version=$(dpkg-query -W -f '${Version}' qemu-system-x86)
apt-get -q source --download-only "qemu=$version"
tar -xf qemu_*.orig.tar.xz -C qemu --strip-components=1
cd qemu

svm=target/i386/tcg/system/svm_helper.c
sed -i '/case SVM_EVTINJ_TYPE_INTR:/,/break;/s/^\( *\)do_interrupt_x86_hardirq(.*/&\n\1cs->exception_index = -1;/' $svm
[ "$(grep -c 'cs->exception_index = -1;' $svm)" = 1 ] || { echo "$svm is not as it was known"; exit 1; }
fpu=target/i386/tcg/system/fpu_helper.c
sed -i 's/^\( *\)env->hflags2 &= ~HF2_IGNNE_MASK;/\1if (env->hflags2 \& HF2_IGNNE_MASK)\n&/' $fpu
[ "$(grep -c 'if (env->hflags2 & HF2_IGNNE_MASK)' $fpu)" = 1 ] || { echo "$fpu is not as it was known"; exit 1; }
# what is not in Debian's sources: compiled firmware, and a package for QEMU's own tests
sed -i 's/^\( *unpack_edk2_blobs = \).*/\1false/' meson.build
sed -i '/pycotap/d' pythondeps.toml

cat >configs/devices/x86_64-softmmu/bench.mak <<'D'
CONFIG_Q35=y
CONFIG_SERIAL_ISA=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_9P=y
CONFIG_HDA=y
CONFIG_EDU=y
CONFIG_VTD=y
CONFIG_AMD_IOMMU=y
D
cd $work/build
../qemu/configure --target-list=x86_64-softmmu --without-default-features --without-default-devices \
	--with-devices-x86_64=bench --enable-system --enable-tcg --enable-virtfs --enable-attr \
	--enable-cap-ng --enable-fdt=system --disable-install-blobs --disable-docs --disable-werror \
	--disable-debug-info --enable-trace-backends=nop
ninja qemu-system-x86_64
strip -o $out/usr/bin/qemu-system-x86_64 qemu-system-x86_64
cd /
rm -rf $work
