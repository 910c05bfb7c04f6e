# SPDX-License-Identifier: Apache-2.0
"""A throw-away key that signs kernel modules, and whether it has signed one: the device host has no
openssl, and needs none for anything else.

usage: module_key.py make DIRECTORY NAME        key.pem and certificate.der
       module_key.py check DIRECTORY MODULE...
"""

import base64
import hashlib
import lzma
import secrets
import sys
import time
from pathlib import Path

BITS, EXPONENT = 2048, 65537
MAGIC = b"~Module signature appended~\n"
INFO = 12  # struct module_signature; its last four bytes are the length of what is before it
SHA256_WITH_RSA, RSA, COMMON_NAME = "2a864886f70d01010b", "2a864886f70d010101", "550403"
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")  # of a digest, in PKCS #1


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts):
    return der(0x30, *parts)


def integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def algorithm(identifier):
    return sequence(der(0x06, bytes.fromhex(identifier)), der(0x05))


def bits(value):
    return der(0x03, b"\0", value)


def is_prime(number, rounds=20):
    """Miller and Rabin's test."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(rounds):
        power = pow(secrets.randbelow(number - 3) + 2, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = pow(power, 2, number)
            if power == number - 1:
                break
        else:
            return False
    return True


def prime():
    small = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, n, 2))]
    while True:
        # the two highest bits, so that the product has all of its bits
        number = secrets.randbits(BITS // 2) | 3 << (BITS // 2 - 2) | 1
        if all(number % n for n in small) and (number - 1) % EXPONENT and is_prime(number):
            return number


def make(directory, name):
    p, q = prime(), prime()
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    key = sequence(*map(integer, (0, p * q, EXPONENT, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))))
    text = base64.encodebytes(key).decode()
    (directory / "key.pem").write_text(
        f"-----BEGIN RSA PRIVATE KEY-----\n{text}-----END RSA PRIVATE KEY-----\n")
    who = sequence(der(0x31, sequence(der(0x06, bytes.fromhex(COMMON_NAME)), der(0x0c, name.encode()))))
    now = time.time()
    valid = sequence(*(der(0x17, time.strftime("%y%m%d%H%M%SZ", time.gmtime(now + day * 86400)).encode())
                       for day in (-1, 30)))
    public = sequence(algorithm(RSA), bits(sequence(integer(p * q), integer(EXPONENT))))
    body = sequence(der(0xa0, integer(2)), integer(secrets.randbits(64)), algorithm(SHA256_WITH_RSA),
                    who, valid, who, public)
    signature = pow(int.from_bytes(padded(body), "big"), d, p * q)
    (directory / "certificate.der").write_bytes(
        sequence(body, algorithm(SHA256_WITH_RSA), bits(signature.to_bytes(BITS // 8, "big"))))


def padded(data):
    """What is signed of data: PKCS #1, version 1.5."""
    digest = SHA256_PREFIX + hashlib.sha256(data).digest()
    return b"\0\1" + b"\xff" * (BITS // 8 - len(digest) - 3) + b"\0" + digest


def modulus(directory):
    """The second number of the key."""
    key = base64.b64decode("".join((directory / "key.pem").read_text().splitlines()[1:-1]))
    at = key.index(integer(0)) + len(integer(0))
    size = int.from_bytes(key[at + 2:at + 4], "big")  # 0x02 0x82 and two bytes
    return int.from_bytes(key[at + 4:at + 4 + size], "big")


def check(directory, path):
    """What is wrong with the signature of a module; empty where nothing is."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        data = lzma.decompress(data)
    if not data.endswith(MAGIC):
        return "not signed"
    data = data[:-len(MAGIC)]
    size = int.from_bytes(data[-4:], "big")
    signed, message = data[:-INFO - size], data[-INFO - size:-INFO]
    # of the message that kernels read, the signature is the end
    number = pow(int.from_bytes(message[-BITS // 8:], "big"), EXPONENT, modulus(directory))
    return "" if number.to_bytes(BITS // 8, "big") == padded(signed) else "signed with another key"


def main(action, directory, *rest):
    if action == "make":
        make(Path(directory), *rest)
        return 0
    bad = 0
    for path in map(Path, rest):
        complaint = check(Path(directory), path)
        print(f"{path.name}: {complaint or 'signed with the key'}")
        bad += bool(complaint)
    return bad


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
