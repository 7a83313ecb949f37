# SPDX-License-Identifier: GPL-2.0
# The devices of the box; QEMU is built without any other.
CONFIG_MICROVM=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_9P=y
