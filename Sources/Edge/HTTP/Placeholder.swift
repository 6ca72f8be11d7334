import CNghttp2
import NIOSSL
