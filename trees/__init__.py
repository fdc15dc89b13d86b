"""Boosters into trees and conditions, and what is built from them."""
