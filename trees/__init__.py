"""Boosters as trees and conditions, and the tables that are built from them."""
