import CZlib
import Crypto
import TOMLKit
